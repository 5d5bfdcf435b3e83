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
	fast=
	wanted="git ca-certificates nodejs npm"
	dpkg --force-unsafe-io --configure -a
	get update
	cd /var/cache/apt/archives
	get install --simulate --no-install-recommends eatmydata $wanted | awk '/^Inst/ { print $2 }' |
		xargs -r -P 4 -n 100 apt-get -qq -o Acquire::Retries=3 -o APT::Sandbox::User=root download || echo "going on one by one"
	if get install --no-install-recommends eatmydata; then
		fast=eatmydata
	fi
	get install --no-install-recommends $wanted
	apt-get clean
	sync
elif command -v dnf >/dev/null; then
	dnf install -y --setopt=install_weak_deps=False --setopt=tsflags=nodocs git tar nodejs npm
	dnf clean packages
else
	echo "this machine has neither apt-get nor dnf: use Debian, Ubuntu or Amazon Linux"
	exit 1
fi
echo "installed: git, Node.js $(node --version), npm $(npm --version)"
