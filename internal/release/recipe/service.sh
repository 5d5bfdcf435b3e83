install -m 0644 /dev/stdin "/etc/systemd/system/$unit"
systemctl daemon-reload
systemctl enable -q "$unit"
systemctl reset-failed -q "$unit" 2>/dev/null || true
systemctl restart "$unit"
