if command -v git >/dev/null && command -v node >/dev/null && command -v npm >/dev/null; then
	echo "already there: git, Node.js $(node --version), npm $(npm --version)"
	exit 0
fi
if command -v apt-get >/dev/null; then
	# npm has some 400 packages behind it. Their manual pages, a disk flush after
	# each and fetching one after the other would double the time. The image is
	# made of a machine that was shut down, and nothing is lost before.
	get() {
		$fast apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Acquire::Languages=none -o Dpkg::Use-Pty=0 \
			-o Dpkg::Options::=--force-unsafe-io -o Dpkg::Options::=--force-confold \
			-o Dpkg::Options::=--path-exclude=/usr/share/man/\* -o Dpkg::Options::=--path-exclude=/usr/share/doc/\* \
			-o Dpkg::Options::=--path-include=/usr/share/doc/\*/copyright "$@"
	}
	# A machine updates itself in its first minutes (apt-daily.service, unattended-upgrades).
	# DPkg::Lock::Timeout makes apt-get wait for dpkg's locks alone, not for those of the lists
	# and the archives (apt.conf(5)); dpkg waits for none.
	said=/run/aloft-apt.log
	patiently() {
		waited=0
		while :; do
			{ "$@" 2>&1 || echo "exit $?"; } | tee $said
			tail -n 1 $said | grep -q '^exit [0-9]*$' || return 0
			grep -q -e 'Could not get lock' -e 'Unable to lock' -e 'lock was locked by another process' $said || return 1
			[ $waited -lt 600 ] || return 1
			[ $((waited % 30)) -ne 0 ] || echo "waiting: another program on this machine is installing packages (${waited}s)"
			waited=$((waited + 5))
			sleep 5
		done
	}
	fast=
	wanted="git ca-certificates nodejs npm"
	patiently dpkg --force-unsafe-io --configure -a
	patiently get update
	cd /var/cache/apt/archives
	get install --simulate --no-install-recommends eatmydata $wanted | awk '/^Inst/ { print $2 }' |
		xargs -r -P 4 -n 100 apt-get -qq -o Acquire::Retries=3 -o APT::Sandbox::User=root download || echo "going on one by one"
	if patiently get install --no-install-recommends eatmydata; then
		fast=eatmydata
	fi
	patiently get install --no-install-recommends $wanted
	patiently apt-get clean
	rm -f $said
	sync
elif command -v dnf >/dev/null; then
	dnf install -y --setopt=install_weak_deps=False --setopt=tsflags=nodocs git tar nodejs npm
	dnf clean packages
else
	echo "this machine has neither apt-get nor dnf: use Debian, Ubuntu or Amazon Linux"
	exit 1
fi
echo "installed: git, Node.js $(node --version), npm $(npm --version)"
