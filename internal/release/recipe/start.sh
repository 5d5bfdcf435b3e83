fetch="aloft-$app-env.service"
if ! systemctl start "$fetch" 2>/dev/null; then
	journalctl -u "$fetch" -n 20 -o cat --no-pager | grep '^aloft: ' | tail -n 1
	exit 1
fi
for unit in $units; do
	systemctl restart "$unit"
done
