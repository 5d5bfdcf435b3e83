# Removes what only the build needed, and no image must keep.
rm -rf /var/tmp/aloft-cache
if [ -e /var/aloft.swap ]; then
	swapoff /var/aloft.swap || echo "the swap file stays in use until the machine restarts"
	rm -f /var/aloft.swap
fi
