if command -v cloud-init >/dev/null; then
	cloud-init status --wait >/dev/null || echo "cloud-init reports a problem; going on"
fi
echo "$(. /etc/os-release; echo "$PRETTY_NAME") on $(uname -m), $(hostname)"
