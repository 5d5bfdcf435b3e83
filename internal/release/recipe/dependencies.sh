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
