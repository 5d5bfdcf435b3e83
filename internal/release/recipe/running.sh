# Prints the first of $units that does not run, and fails if there is one.
for unit in $units; do
	systemctl is-active -q "$unit" || { echo "$unit"; exit 3; }
done
