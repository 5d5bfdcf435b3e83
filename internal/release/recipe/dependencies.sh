cd "$home/$dir"
if [ -f package-lock.json ] || [ -f npm-shrinkwrap.json ]; then
	verb=ci
else
	verb=install
fi
echo "npm $verb with npm $(npm --version)"
cache=$(mktemp -d)
trap 'rm -rf "$cache" $group' EXIT
chown "$user" "$cache"
runuser -u "$user" -- env HOME="/var/lib/$user" npm_config_cache="$cache" npm $verb
if [ -e /var/aloft.swap ]; then # no part of the image
	swapoff /var/aloft.swap || echo "the swap file stays in use until the machine restarts"
	rm -f /var/aloft.swap
fi
