# Unpacks a toolchain's archive from standard input, and puts its programs on the path.
folder="/opt/aloft/$tool"
rm -rf "$folder.new"
install -d -m 0755 "$folder.new"
tar -xzf - --no-same-owner -C "$folder.new"
rm -rf "$folder"
mv "$folder.new" "$folder"
for program in "$folder"/bin/*; do
	ln -sf "$program" /usr/local/bin/
done
echo "$tool $version is in $folder"
