chown -R "$user:$user" "$home.new"
rm -rf "$home"
mv "$home.new" "$home"
echo "in $home: $(find "$home" -type f -print | wc -l) files"
