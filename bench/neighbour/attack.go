//go:build linux

package main

import (
	"fmt"
	"strings"
)

// attack is what a neighbour does to take all it can get of one kind of resource: shell
// commands with what the base image has. "%[1]s" stands for the victim's private address.
type attack struct{ kind, commands string }

var attacks = []attack{
	{"nothing", "sleep 600"},
	{"cpu", "for i in 1 2 3 4 5 6 7 8; do while :; do :; done & done; wait"},
	{"memory", `while :; do perl -e 'while (1) { push @x, "x" x (8 << 20) }'; done`},
	{"disk", `(while :; do dd if=/dev/zero of=/var/tmp/a bs=1M count=1500 conv=fsync; done) &
(while :; do dd if=/dev/zero of=/var/tmp/b bs=4k count=100000 oflag=direct; done) &
(while :; do find / -xdev -type f -exec cat {} + >/dev/null; done) & wait`},
	{"network", `for i in 1 2; do perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Proto => "udp",
PeerAddr => "%[1]s:9") or die; $b = "x" x 8000; while (1) { send $s, $b, 0 }' & done; wait`},
	{"packets", `for i in 1 2; do perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Proto => "udp",
PeerAddr => "%[1]s:9") or die; while (1) { send $s, "x", 0 }' & done; wait`},
	{"forks", `perl -e 'while (1) { fork; wait if !defined fork }'`},
	{"connections", `for i in 1 2 3 4; do perl -MIO::Socket::INET -e 'while (1) { push @s,
IO::Socket::INET->new(PeerAddr => "%[1]s:80", Blocking => 0); shift @s if @s > 900 }' & done; wait`},
	{"addresses", `perl -MSocket -e 'socket $s, PF_INET, SOCK_DGRAM, 0; while (1) { $n = ($n + 1) & 4095;
send $s, "x", 0, sockaddr_in(9, pack("C4", 172, 31, $n >> 8, $n & 255)) }'`},
}

// The servers of both machines, in Perl, which the base image has.
const (
	serverHead = `#!/usr/bin/perl
use IO::Socket::INET;
my $l = IO::Socket::INET->new(LocalPort => 80, Listen => 1024, ReuseAddr => 1) or die;
`
	// victimServer has a process for each connection, as many servers do.
	victimServer = serverHead + `$SIG{CHLD} = 'IGNORE';
while (1) {
	my $c = $l->accept or next;
	if (fork) { close $c; next }
	while (my $line = <$c>) {
		syswrite $c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" if $line eq "\r\n";
	}
	exit;
}
`
	// neighbourServer ends the last attack and runs the one that a request's path names. It
	// answers when that is done. A flood of processes may keep it from that for a minute.
	neighbourServer = `while (1) {
	my $c = $l->accept or next;
	my ($kind) = (<$c> // '') =~ m{^GET /(\w+)} or next;
	system 'systemctl', 'kill', '--signal=KILL', 'attack';
	next unless system('systemctl', 'is-active', '--quiet', 'attack') > 0; # also if it cannot fork
	system 'systemd-run', '--collect', '--unit=attack', '--property=RuntimeMaxSec=60',
		'--property=OOMPolicy=continue', 'sh', '-c', $attacks{$kind} if $attacks{$kind};
	syswrite $c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
}
`
)

// neighbourProgram returns the neighbour's server, with the attacks on a victim.
func neighbourProgram(victim string) string {
	var b strings.Builder
	_, _ = b.WriteString(serverHead + "my %attacks;\n")
	for _, a := range attacks {
		commands := strings.ReplaceAll(a.commands, "%[1]s", victim)
		_, _ = fmt.Fprintf(&b, "$attacks{%s} = <<'END';\n%s\nEND\n", a.kind, commands)
	}
	_, _ = b.WriteString(neighbourServer)
	return b.String()
}
