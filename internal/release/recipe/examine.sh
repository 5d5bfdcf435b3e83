show() { systemctl show -p "$1" --value "$unit"; }
if [ "$(show LoadState)" = loaded ]; then
	echo "$unit: $(show ActiveState) ($(show SubState)), started again $(show NRestarts) times, last exit status $(show ExecMainStatus)"
	journalctl -u "$unit" -n "$lines" -o cat --no-pager | sed 's/^/log: /'
else
	echo "$unit is not installed"
fi
