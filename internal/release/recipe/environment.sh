install -d -m 0755 /etc/aloft
install -m 0640 -g "$user" /dev/stdin "/etc/aloft/$app.env"
