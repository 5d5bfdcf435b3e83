#!/bin/sh
# Installs missing Debian or Ubuntu packages and names them first.
# Usage: packages.sh WHY PACKAGE...
# A package that ends with ? is installed where the system has it.
set -eu
why=$1
shift
missing=
for package in "$@"; do
  dpkg-query -W -f '${db:Status-Status}' "${package%\?}" 2>/dev/null | grep -qx installed || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null; then
  echo "Aloft needs these packages $why:$missing. Install them with your system's package manager." >&2
  exit 1
fi
sudo=
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "Run this as root, or install sudo." >&2; exit 1; }
  sudo=sudo
fi
$sudo apt-get update -qq
present=
for package in $missing; do
  case $package in
  *\?) apt-cache show "${package%\?}" >/dev/null 2>&1 && present="$present ${package%\?}" ;;
  *) present="$present $package" ;;
  esac
done
[ -n "$present" ] || exit 0
echo "Installing packages $why:$present"
# shellcheck disable=SC2086 -- a list of names
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $present >/dev/null
