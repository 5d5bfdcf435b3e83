if ! id "$user" >/dev/null 2>&1; then
	useradd --system --user-group --home-dir "/var/lib/$user" --create-home --shell /usr/sbin/nologin "$user"
fi
chmod 0750 "/var/lib/$user"
# By itself nodemon stays when the application has crashed, and waits for a file
# to change. Here it ends, so that systemd starts both again.
echo '{"exitCrash": true, "restartable": false}' >"/var/lib/$user/nodemon.json"
rm -rf "$home.new"
install -d -m 0755 "$home.new"
