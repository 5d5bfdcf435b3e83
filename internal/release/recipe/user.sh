if ! id "$user" >/dev/null 2>&1; then
	useradd --system --user-group --home-dir "/var/lib/$user" --create-home --shell /usr/sbin/nologin "$user"
fi
chmod 0750 "/var/lib/$user"
rm -rf "$home.new"
install -d -m 0755 "$home.new"
