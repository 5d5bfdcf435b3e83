# Installs the units from standard input, each after a line with its name, and enables them.
folder=$(mktemp -d)
trap 'rm -rf "$folder" $group' EXIT
awk -v folder="$folder" '/^#unit / { file = folder "/" $2; next } { print >file }'
cd "$folder"
for unit in *.service; do
	install -m 0644 "$unit" "/etc/systemd/system/$unit"
done
for old in /etc/systemd/system/"${service%.service}"-*.service; do
	if [ -e "$old" ] && [ ! -e "${old##*/}" ]; then # of a process that is no longer there
		systemctl disable -q --now "${old##*/}" || true
		rm -f "$old"
	fi
done
systemctl daemon-reload
for unit in *.service; do
	systemctl enable -q "$unit"
	systemctl reset-failed -q "$unit" 2>/dev/null || true
done
