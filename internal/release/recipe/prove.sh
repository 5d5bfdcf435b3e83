if node - "$unit" "$port" "$path" "$matcher" "$patience" "$watch"; then
	exit 0
fi
journalctl -u "$unit" -n 15 -o cat --no-pager || true
exit 1
