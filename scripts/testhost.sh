#!/bin/bash
# Runs a test as on one of two hosts, so that two tests can each have a local cloud at the same time: with an
# own network, an own /run, and processes of its own. slirp4netns leads the network out without a change of this
# host's network or firewall. Where it is missing, or has no tun device, tests take turns on this host itself.
# Usage: testhost.sh COMMAND...
set -euo pipefail

scripts=$(cd "$(dirname "$0")" && pwd)
take_turns() { exec flock -o "$scripts" unshare --mount "$@"; }
command -v slirp4netns >/dev/null || take_turns "$@"

# A lock on a file tells which of the two is free. Who waits for one has the lock on the folder, or who came
# later could be first. No process of the test inherits a lock.
exec {turn}<"$scripts"
flock "$turn"
exec {other}</dev/null
case ${1##*/} in
  # These count lost requests under a load that needs the processors of both.
  scaling.test | failure.test)
    exec {other}<"$scripts/packages.sh"
    flock "$other"
    ;;
esac
while :; do
  for host in "$scripts/testhost.sh" "$scripts/packages.sh"; do
    exec {lock}<"$host"
    flock -n "$lock" && break 2
    exec {lock}<&-
  done
  sleep 0.2
done
exec {turn}<&-

# Addresses of documentation (RFC 5737) are in no network that a test could try to reach.
code=0
# shellcheck disable=SC2016 -- expanded in the namespaces
unshare --net --mount bash -euc '
  coproc way_out {
    exec nsenter --target "$1" --net --mount slirp4netns --configure --mtu=65520 --disable-host-loopback \
      --cidr=192.0.2.0/24 --ready-fd=3 "$$" tap0 3>&1 >/dev/null 2>&1
  }
  read -r -n 1 -u "${way_out[0]}" || exit 125
  trap "kill $way_out_PID; wait" EXIT
  ip link set lo up

  resolver=$(readlink -m /etc/resolv.conf)
  mount -t tmpfs tmpfs /run
  mkdir -p /run/lock "$(dirname "$resolver")"
  echo "nameserver 192.0.2.3" >/run/resolv.conf
  touch "$resolver"
  mount --bind /run/resolv.conf "$resolver"

  shift
  # The first process stays, to reap what the test leaves to it.
  unshare --pid --fork --kill-child --mount-proc bash -c "\"\$@\"; exit \$?" bash "$@"
' bash $$ "$@" {lock}<&- {other}<&- || code=$?
[ "$code" = 125 ] || exit "$code"
echo "slirp4netns does not start, so tests take turns" >&2
exec {lock}<&- {other}<&-
take_turns "$@"
