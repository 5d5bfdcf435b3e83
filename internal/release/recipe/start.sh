for unit in $units; do
	systemctl restart "$unit"
done
