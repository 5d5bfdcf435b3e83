#!/bin/sh
# Prints the path of a go command that is new enough for go.mod. If the computer has
# none, it fetches the toolchain that go.mod names into the user's cache and verifies it
# against toolchain.sum, whose lines are those of sum.golang.org.
#
# ALOFT_GO_MIRROR names the Go module proxy to fetch from. By default it is the first one
# of GOPROXY, or proxy.golang.org. Like the go command, this script trusts no proxy.
set -eu
export LC_ALL=C
tree=$(cd "$(dirname "$0")/.." && pwd)
sums=$tree/scripts/toolchain.sum

say() { echo "$*" >&2; }
fail() { say "aloft: $*"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# newer A B reports whether version A, such as 1.26.8 or 1.26rc1, is B or newer.
newer() {
  printf '%s\n%s\n' "$1" "$2" | awk '
    { rc = $0 ~ /(rc|beta)/; split($0, part, /[^0-9]+/); v[NR] = part[1] * 1e6 + part[2] * 1e3 + (rc ? -1 : part[3]) }
    END { exit !(v[1] >= v[2]) }'
}

# version GO prints the version of a go command. Outside of modules, so that an old one
# does not stumble over go.mod, and a new one does not fetch another.
version() { (cd / && GOTOOLCHAIN=local "$1" version 2>/dev/null) | sed -n 's/^go version go\([0-9][^ ]*\).*/\1/p'; }

needed=$(awk '$1 == "go" { print $2 }' "$tree/go.mod")
toolchain=$(awk '$1 == "toolchain" { print $2 }' "$tree/go.mod")
toolchain=${toolchain:-go$needed}
found=
for go in "$(command -v go || true)" /usr/local/go/bin/go; do
  [ -n "$go" ] && [ -x "$go" ] || continue
  is=$(version "$go")
  if [ -n "$is" ] && newer "$is" "$needed"; then
    echo "$go"
    exit
  fi
  found="${found:-$go is version ${is:-unknown}}"
done

case $(uname -s) in
  Linux) system=linux cache=${XDG_CACHE_HOME:-${HOME:?}/.cache} ;;
  Darwin) system=darwin cache=${HOME:?}/Library/Caches ;;
  *) fail "needs Go $needed or newer; ${found:-go is not installed}. Install it: https://go.dev/dl" ;;
esac
case $(uname -m) in
  x86_64 | amd64) architecture=amd64 ;;
  aarch64 | arm64) architecture=arm64 ;;
  *) architecture=$(uname -m) ;;
esac
module=golang.org/toolchain@v0.0.1-$toolchain.$system-$architecture
cache=$cache/aloft
home=$cache/$toolchain.$system-$architecture
if [ -x "$home/bin/go" ]; then
  echo "$home/bin/go"
  exit
fi
sum=$(awk -v at="${module#*@}" '$2 == at { print $3 }' "$sums")
[ -n "$sum" ] || fail "needs Go $needed or newer, and $sums does not list $module. Install it: https://go.dev/dl"

proxies=${ALOFT_GO_MIRROR:-${GOPROXY:-}}
if [ -z "$proxies" ] && has go; then
  proxies=$(cd / && GOTOOLCHAIN=local go env GOPROXY 2>/dev/null || true)
fi
proxy=$(printf '%s' "$proxies" | tr ',|' '\n\n' | grep -m 1 '^https\{0,1\}://' || echo https://proxy.golang.org)
url=${proxy%/}/golang.org/toolchain/@v/${module#*@}.zip

if ! has curl && ! has wget; then "$tree/scripts/packages.sh" "to fetch Go" curl ca-certificates >&2; fi
if ! has unzip && ! has python3; then "$tree/scripts/packages.sh" "to unpack Go" unzip >&2; fi

say "Aloft needs Go $needed or newer, and ${found:-go is not installed}. Fetching $toolchain into $cache from $proxy…"
mkdir -p "$cache"
find "$cache" -maxdepth 1 -name 'fetch.*' -mtime +0 -exec rm -rf {} + # of runs that were killed
room=$(mktemp -d "$cache/fetch.XXXXXX")
trap 'rm -rf "$room"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
if has curl; then
  curl -fsSL --retry 3 -o "$room/zip" "$url"
else
  wget -q -O "$room/zip" "$url"
fi || fail "cannot fetch $url. Name another Go module proxy with ALOFT_GO_MIRROR, or install Go: https://go.dev/dl"
mkdir "$room/files"
if has unzip; then
  unzip -q "$room/zip" -d "$room/files"
else
  python3 -m zipfile -e "$room/zip" "$room/files"
fi || fail "$url is not a toolchain. Name another Go module proxy with ALOFT_GO_MIRROR"

# The hash of a module is that of the sorted list of its files' hashes
# (golang.org/x/mod/sumdb/dirhash, Hash1).
sha256=sha256sum
has sha256sum || sha256="shasum -a 256"
octal=$(cd "$room/files" && find . ! -type d | sed 's|^\./||' | sort | tr '\n' '\0' | xargs -0 $sha256 | $sha256 |
  awk 'function digit(i) { return index("0123456789abcdef", substr($1, i, 1)) - 1 }
    { for (i = 1; i <= 64; i += 2) printf "\\%03o", 16 * digit(i) + digit(i + 1) }')
# shellcheck disable=SC2059 -- the format is the bytes
got=h1:$(printf "$octal" | base64)
[ "$got" = "$sum" ] || fail "$url is not what sum.golang.org lists: got $got, want $sum"

# What the go command does with a toolchain that it has fetched (cmd/go/internal/toolchain, Exec).
unpacked=$room/files/$module
chmod -R u+w "$unpacked"
chmod -R a+x "$unpacked/bin" "$unpacked/pkg/tool"
find "$unpacked" -name _go.mod | while read -r file; do cp "$file" "${file%_go.mod}go.mod"; done
mv "$unpacked" "$home" 2>/dev/null || true
rm -rf "$home/${module##*/}" # another run was faster
[ -x "$home/bin/go" ] || fail "cannot write $home"
echo "$home/bin/go"
