#!/bin/sh
# Lets sshd accept the keys that EC2 Instance Connect pushes: they are in the instance's
# metadata for a minute. Debian's images lack the package that does so on Amazon Linux.
set -eu
mkdir -p /usr/lib/aloft
cat > /usr/lib/aloft/pushed-keys.new <<'SCRIPT'
#!/bin/sh
# Prints the keys that EC2 Instance Connect has pushed for a user.
set -eu
case "$1" in
'' | *[!A-Za-z0-9@._-]*) exit 0 ;;
esac
metadata=http://169.254.169.254/latest
token=$(curl -fs -m 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$metadata/api/token")
curl -fs -m 5 -H "X-aws-ec2-metadata-token: $token" "$metadata/meta-data/managed-ssh-keys/active-keys/$1/" || :
SCRIPT
chmod 755 /usr/lib/aloft /usr/lib/aloft/pushed-keys.new
mv /usr/lib/aloft/pushed-keys.new /usr/lib/aloft/pushed-keys
cat > /etc/ssh/sshd_config.d/60-aloft-pushed-keys.conf <<'CONFIG'
AuthorizedKeysCommand /usr/lib/aloft/pushed-keys %u
AuthorizedKeysCommandUser nobody
CONFIG
systemctl try-reload-or-restart ssh.service 2>/dev/null || systemctl try-reload-or-restart sshd.service
