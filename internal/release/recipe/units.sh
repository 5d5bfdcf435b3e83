# Sets $units to the services of the application's processes that are installed on this
# machine, the web process first. Who restarts them needs no source, which names them too.
units=$service
for file in /etc/systemd/system/"${service%.service}"-*.service; do
	unit=${file##*/}
	[ ! -e "$file" ] || [ "$unit" = "aloft-$app-env.service" ] || units="$units $unit"
done
