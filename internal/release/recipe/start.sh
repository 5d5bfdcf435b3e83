fetch="aloft-$app-env.service"
if ! systemctl start "$fetch" 2>/dev/null; then
	journalctl -u "$fetch" -n 3 -o cat --no-pager
	exit 1
fi
for unit in $units; do
	systemctl restart "$unit"
done
