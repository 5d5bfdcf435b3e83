# Installs the distribution packages in $packages that the machine lacks, and what
# fetch-env.sh reads JSON with. AWS's own images have Python.
command -v python3 >/dev/null || command -v jq >/dev/null || packages="$packages jq"
if [ -z "$packages" ]; then
	echo "none is missing"
	exit 0
fi
if command -v apt-get >/dev/null; then
	missing=
	for package in $packages; do
		dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^.i' || missing="$missing $package"
	done
	if [ -z "$missing" ]; then
		echo "already there: $packages"
		exit 0
	fi
	# Manual pages and a disk flush after each package would double the time. The
	# image is made of a machine that was shut down, and nothing is lost before.
	log=/var/log/aloft-packages.log
	get() {
		apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Acquire::Languages=none -o Dpkg::Use-Pty=0 \
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
			{ "$@" 2>&1 || echo "exit $?"; } >$said
			cat $said >>$log
			tail -n 1 $said | grep -q '^exit [0-9]*$' || return 0
			if ! grep -q -e 'Could not get lock' -e 'Unable to lock' -e 'lock was locked by another process' $said; then
				tail -n 20 $said
				return 1
			fi
			[ $waited -lt 600 ] || return 1
			[ $((waited % 30)) -ne 0 ] || echo "waiting: another program on this machine is installing packages (${waited}s)"
			waited=$((waited + 5))
			sleep 5
		done
	}
	patiently dpkg --force-unsafe-io --configure -a
	echo "reading the lists of packages"
	patiently get update
	echo "installing$missing"
	patiently get install --no-install-recommends $missing
	patiently apt-get clean
	rm -f $said
	sync
elif command -v dnf >/dev/null; then
	# Packages have other names there than on Debian.
	names=
	for package in $packages; do
		case $package in
		python3-venv | ca-certificates) ;; # in python3, and always installed
		libatomic1) names="$names libatomic" ;;
		build-essential) names="$names gcc gcc-c++ make" ;;
		*) names="$names $package" ;;
		esac
	done
	[ -z "$names" ] || dnf install -q -y --setopt=install_weak_deps=False --setopt=tsflags=nodocs $names
	dnf clean -q packages
else
	echo "this machine has neither apt-get nor dnf: use Debian, Ubuntu or Amazon Linux"
	exit 1
fi
echo "installed: $packages"
