#!/bin/sh
# Installs missing Debian or Ubuntu packages and names them first.
# Usage: packages.sh WHY PACKAGE...
# A package that ends with ? is installed where the system has it.
set -eu
why=$1
shift
missing= optional=
for package in "$@"; do
  name=${package%\?}
  dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed && continue
  if [ "$name" = "$package" ]; then missing="$missing $name"; else optional="$optional $name"; fi
done
# known prints those of the packages that the system has.
known() {
  for package in "$@"; do
    if apt-cache show "$package" >/dev/null 2>&1; then printf ' %s' "$package"; fi
  done
}
# shellcheck disable=SC2086 -- a list of names
[ -n "$missing" ] || optional=$(known $optional)
[ -n "$missing$optional" ] || exit 0
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
# shellcheck disable=SC2086 -- a list of names
missing="$missing$(known $optional)"
echo "Installing packages $why:$missing"
# shellcheck disable=SC2086 -- a list of names
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
