if [ ! -f "$home.new/$dir/package.json" ]; then
	echo "the source holds no ${dir:+$dir/}package.json"
	exit 1
fi
chown -R "$user:$user" "$home.new"
rm -rf "$home"
mv "$home.new" "$home"
echo "in $home: $(find "$home" -path "$home/.git" -prune -o -type f -print | wc -l) files"
