# Runs the release's command with the application's environment, as its user. A file
# remembers that it succeeded, for a run that continues another.
done="/var/lib/$user/.released"
if [ "$(cat "$done" 2>/dev/null)" = "$source" ]; then
	echo "it has succeeded on this machine before"
	exit 0
fi
if ! systemctl start "aloft-$app-env.service" 2>/dev/null; then
	journalctl -u "aloft-$app-env.service" -n 20 -o cat --no-pager | grep '^aloft: ' | tail -n 1
	exit 1
fi
systemd-run --quiet --pipe --wait --collect --unit "${service%.service}-release" --uid "$user" --gid "$user" \
	--working-directory "$folder" --property "EnvironmentFile=/run/aloft/$app.env" --setenv "PATH=$path" "$@" \
	sh -c "$command"
echo "$source" >"$done"
