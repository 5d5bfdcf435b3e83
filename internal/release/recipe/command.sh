# Runs a build command as the application's user, with a cache that no image keeps.
cache=/var/tmp/aloft-cache
install -d -o "$user" -g "$user" -m 0755 $cache
# pnpm alone knows this setting, and npm warns of it.
[ "$manager" != pnpm ] || set -- "$@" npm_config_store_dir=$cache/pnpm
# kills prints how many processes the kernel has killed for lack of memory: those of the
# control group in a container, which the whole machine does not have (cgroups(7); Linux,
# "Control Group v2", memory.events); there, all since the start (proc_vmstat(5)).
kills() {
	events=/sys/fs/cgroup/memory.events
	[ -e $events ] || events=/proc/vmstat
	awk '$1 == "oom_kill" { print $2 }' $events
}
before=$(kills)
code=0
runuser -u "$user" -- env HOME="/var/lib/$user" XDG_CACHE_HOME=$cache npm_config_cache=$cache/npm \
	npm_config_color=false npm_config_progress=false npm_config_fund=false npm_config_audit=false \
	npm_config_update_notifier=false COREPACK_ENABLE_DOWNLOAD_PROMPT=0 YARN_CACHE_FOLDER=$cache/yarn \
	PIP_CACHE_DIR=$cache/pip PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore \
	UV_CACHE_DIR=$cache/uv GOPATH=$cache/go GOCACHE=$cache/go-build GOTOOLCHAIN=local GOFLAGS=-buildvcs=false \
	PATH="$path" CI=true "$@" sh -euc "cd \"\$0\"; $command" "$folder" || code=$?
if [ $code -ne 0 ] && [ "$(kills)" != "$before" ]; then
	echo "out of memory: the kernel ended a program of this command"
fi
exit $code
