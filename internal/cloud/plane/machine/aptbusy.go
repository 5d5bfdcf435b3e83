//go:build linux

package machine

import (
	"fmt"
	"time"
)

// Files of a machine in which another apt works for a while after each boot, as apt-daily
// and unattended-upgrades do in the images for EC2.
const (
	aptBusyProgram = "aloft/apt-busy.pl"
	aptBusyUnit    = "systemd/system/aloft-apt-busy.service"
	aptBusyWant    = "systemd/system/sysinit.target.d/aloft.conf"
)

// holdAptLocks is a Perl program, because apt's locks are those of fcntl(2), which flock(1)
// cannot take, and because every Debian and Ubuntu has Perl. The last word of its process
// title is the name that apt shows as the holder.
const holdAptLocks = `use Fcntl;
$0 = "unattended-upgr";
my @held;
for my $path ("/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock", "/var/lib/apt/lists/lock") {
	sysopen(my $lock, $path, O_RDWR | O_CREAT, 0640) or die "$path: $!";
	my $all = pack("s s x4 q q l x4", F_WRLCK, 0, 0, 0, 0); # struct flock of 64-bit systems
	fcntl($lock, F_SETLKW, $all) or die "$path: $!";
	push @held, $lock;
}
open(my $mark, ">", "/run/aloft/apt-is-busy") or die $!;
close($mark);
select(undef, undef, undef, $ARGV[0]);
unlink("/run/aloft/apt-is-busy");
`

// aptBusyFiles returns the files with which a boot begins with another apt at work for d.
// Nobody can log in before it works.
func aptBusyFiles(d time.Duration) map[string]string {
	return map[string]string{
		aptBusyProgram: holdAptLocks,
		aptBusyWant:    "[Unit]\nWants=aloft-apt-busy.service\n",
		aptBusyUnit: fmt.Sprintf(`[Unit]
Description=Daily apt upgrade and clean activities
ConditionPathExists=/usr/bin/apt-get
DefaultDependencies=no
After=systemd-tmpfiles-setup.service
Before=ssh.service ssh.socket
Conflicts=shutdown.target

[Service]
ExecStart=/usr/bin/perl /run/%s %.3f
ExecStartPost=/bin/sh -c 'until [ -e /run/aloft/apt-is-busy ]; do sleep 0.05; done'
TimeoutStartSec=10
`, aptBusyProgram, d.Seconds()),
	}
}
