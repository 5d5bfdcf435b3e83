# The image is made of this machine, and machines that start from it are others.
# An empty machine-id gets a new value at the next boot, which does not count as
# the first one and so enables and disables no unit (machine-id(5), "First Boot
# Semantics"). Until then journalctl finds no journal of this machine, so this
# step is the last. SSH host keys stay, because this machine may go on to serve:
# cloud-init replaces them on a machine with another instance id (cloud-init
# documentation, module SSH, ssh_deletekeys). The random seed stays too: systemd
# writes it at shutdown, just before the image is made, and credits it with no
# entropy (systemd-random-seed.service(8)).
journalctl -q --rotate --vacuum-time=1s || echo "the journal of the installation stays in the image"
if [ -f /var/lib/dbus/machine-id ] && [ ! -L /var/lib/dbus/machine-id ]; then
	ln -sf /etc/machine-id /var/lib/dbus/machine-id
fi
: >/etc/machine-id
sync
