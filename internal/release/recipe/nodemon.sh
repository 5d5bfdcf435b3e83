# By itself nodemon stays when the application has crashed, and waits for a file
# to change. Here it ends, so that systemd starts both again.
echo '{"exitCrash": true, "restartable": false}' >"/var/lib/$user/nodemon.json"
if [ -x /usr/local/bin/nodemon ]; then
	echo "already there: nodemon $(nodemon --version)"
	exit 0
fi
cache=$(mktemp -d)
trap 'rm -rf "$cache" $group' EXIT
env npm_config_cache="$cache" npm_config_fund=false npm_config_audit=false npm_config_update_notifier=false "$@" \
	npm install -g --prefix /usr/local nodemon
