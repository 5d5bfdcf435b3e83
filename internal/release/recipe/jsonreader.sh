for reader in python3 jq; do
	if command -v $reader >/dev/null; then
		echo "already there: $reader"
		exit 0
	fi
done
