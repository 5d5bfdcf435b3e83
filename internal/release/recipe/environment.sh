# Installs the programs from standard input, each after a line with its name, and removes the
# file in which images of earlier versions kept the environment.
install -d -m 0755 /etc/aloft /usr/local/lib/aloft
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
awk -v folder="$folder" '/^#program / { file = folder "/" $2; next } { print >file }'
install -m 0755 "$folder"/* /usr/local/lib/aloft
rm -f "/etc/aloft/$app.env"
