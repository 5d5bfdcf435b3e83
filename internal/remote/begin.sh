# Begins every script: its output is one stream, and its processes are one group,
# which a later run can stop when this one was cut off.
exec 2>&1
# /tmp may be in memory, of which the machine may have little.
export TMPDIR=/var/tmp
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l
group=/run/aloft-release.group
if [ -s $group ] && kill -s 0 -- "-$(cat $group)" 2>/dev/null; then
	echo "an earlier run is still at work on this machine: stopping it"
	kill -s TERM -- "-$(cat $group)" || true
	tries=0
	while kill -s 0 -- "-$(cat $group)" 2>/dev/null; do
		[ $tries -ne 100 ] || kill -s KILL -- "-$(cat $group)" || true
		[ $tries -lt 150 ] || break # what is left can run no more
		tries=$((tries + 1))
		sleep 0.1
	done
fi
echo $$ >$group
trap 'rm -f $group' EXIT
