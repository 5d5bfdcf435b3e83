if command -v cloud-init >/dev/null; then
	cloud-init status --wait >/dev/null || echo "cloud-init reports a problem; going on"
fi
# A small machine gets a swap file for the installation: npm needs more memory than the
# application. Swap files that fallocate has made work on ext4, and on XFS since Linux 4.18
# (swapon(8)).
swap=/var/aloft.swap
if [ "$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)" -lt 2000000 ] && [ "$(wc -l </proc/swaps)" -le 1 ]; then
	if [ "$(df --output=avail -k /var | tail -n 1)" -gt 3000000 ] && fallocate -l 1G $swap 2>/dev/null &&
		chmod 600 $swap && mkswap $swap >/dev/null && swapon $swap 2>/dev/null; then
		echo "this machine has little memory: 1 GiB of swap until the application is installed"
	else
		rm -f $swap
		echo "this machine has little memory, and no swap is possible; going on"
	fi
fi
echo "$(. /etc/os-release; echo "$PRETTY_NAME") on $(uname -m), $(hostname)"
