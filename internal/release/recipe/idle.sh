# Returns when nobody has been connected to the port for some checks in a row, and the
# machine has accepted no connection in between, however brief.

# connections counts the connections to the port from other machines, except those in the
# states TIME_WAIT, CLOSE and LISTEN (Documentation/networking/proc_net_tcp.rst in the
# kernel's source). Addresses are hexadecimal, in the order of bytes of the machine.
connections() {
	awk -v port="$(printf ':%04X$' "$port")" '
		BEGIN { loopback = "^(......7F|0000000000000000FFFF0000......7F|00000000000000000000000001000000):" }
		$2 ~ port && $2 !~ loopback && $4 !~ /^0[67A]$/' "$net/tcp" "$net/tcp6" | wc -l
}

# accepted prints how many connections the machine has accepted since its start.
accepted() {
	awk '$1 == "Tcp:" { for (i = 1; i <= NF; i++) if (heading[i] == "PassiveOpens") print $i; split($0, heading) }' \
		"$net/snmp"
}

idle=0
before=$(accepted)
while [ "$idle" -lt "$checks" ]; do
	sleep "$interval"
	idle=$((idle + 1))
	now=$(accepted)
	if [ "$now" != "$before" ] || [ "$(connections)" != 0 ]; then
		idle=0
	fi
	before=$now
done
