//go:build linux

package main

import (
	"fmt"
	"strings"
)

// attack describes what a neighbour does to take all it can get of one kind of resource: shell
// commands with what the base image has. "%[1]s" stands for the victim's private address.
type attack struct{ kind, commands string }

// The connections go to a port at which nothing listens: they load what machines share, the
// firewall and the table of flows. At the victim's own port they would be its users, and load its
// program, which has a process for each: what it accepts is its own to bound.
var attacks = []attack{
	{"nothing", "sleep 600"},
	{"cpu", "for i in 1 2 3 4 5 6 7 8; do while :; do :; done & done; wait"},
	{"calls", `for i in 1 2; do dd if=/dev/zero of=/dev/null bs=1 & done; wait`},
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
IO::Socket::INET->new(PeerAddr => "%[1]s:9", Blocking => 0); shift @s if @s > 900 }' & done; wait`},
	{"addresses", `perl -MSocket -e 'socket $s, PF_INET, SOCK_DGRAM, 0; while (1) { $n = ($n + 1) & 4095;
send $s, "x", 0, sockaddr_in(9, pack("C4", 172, 31, $n >> 8, $n & 255)) }'`},
}

// victimServer is the victim's program, in Perl, which the base image has. It has a process for
// each connection, as many servers do.
const victimServer = `#!/usr/bin/perl
use IO::Socket::INET;
my $l = IO::Socket::INET->new(LocalPort => 80, Listen => 1024, ReuseAddr => 1) or die;
$SIG{CHLD} = 'IGNORE';
while (1) {
	my $c = $l->accept or next;
	if (fork) { close $c; next }
	while (my $line = <$c>) {
		syswrite $c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" if $line eq "\r\n";
	}
	exit;
}
`

// begun is the line that a neighbour writes to its console when it attacks.
const begun = "attack begins"

// program returns the attack's user data. The attack goes on until the machine ends.
func (a attack) program(victim string) string {
	commands := strings.ReplaceAll(a.commands, "%[1]s", victim)
	return fmt.Sprintf("#!/bin/sh\necho %s >/dev/console\nwhile :; do\n%s\ndone\n", begun, commands)
}
