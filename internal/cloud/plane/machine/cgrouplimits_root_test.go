//go:build linux && root

package machine_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/plane/packetrate"
)

// cpuWeight returns the weight or, in version 1, the shares of a machine's cgroup.
func (s *fixture) cpuWeight(id string) string {
	s.Helper()
	data, err := os.ReadFile(filepath.Join("/sys/fs/cgroup/cpu", s.config.CgroupName, id, "cpu.shares"))
	if err != nil {
		data, err = os.ReadFile(filepath.Join(s.cgroup(id), "cpu.weight"))
	}
	if err != nil {
		s.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}

func TestRealMachineObeysItsLimits(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	m.MemoryMiB, m.CPUWeight, m.PacketRate = 256, 20, 1000
	s.bootFully(m)
	if got := s.cpuWeight(m.ID); got != "20" && got != "204" {
		t.Errorf("its weight is %s, want 20 of 100 or 204 of 1024", got)
	}
	service := []string{"systemd-run", "--wait", "--pipe", "--quiet", "sh", "-c"}
	out, err := s.run(m.ID, append(service, "head -c 600M /dev/zero | tail -c 600M >/dev/null")...)
	if err == nil {
		t.Errorf("a process used 600 MB in a machine with 256 MiB: %s", out)
	}
	if now := s.plane.Status(m.ID); now.State != machine.Running {
		t.Errorf("running out of memory stopped the machine: %+v", now)
	}
	// Two busy loops of one second each, in a machine with one processor.
	loops := "for i in 1 2; do timeout 1 sh -c 'while :; do :; done' & done; wait; times | tail -1"
	times := s.mustRun(m.ID, append(service, loops)...) // 0m0.51s 0m0.49s: user, then system time
	times = strings.NewReplacer("m", " ", "s", "").Replace(times)
	var userMinutes, user, systemMinutes, system float64
	if _, err := fmt.Sscanf(times, "%f %f %f %f", &userMinutes, &user, &systemMinutes, &system); err != nil {
		t.Fatalf("times printed %q: %v", times, err)
	}
	if used := user + system; used > 1.35 {
		t.Errorf("two busy loops used %.2f s of processor time in 1 s", used)
	}
	if err := packetrate.Limit(s.cgroup(m.ID), m.PacketRate); errors.Is(err, packetrate.ErrNotSupported) {
		t.Skipf("not tested: the limit of its packets: %v", err)
	}
	out = s.mustRun(m.ID, append(service, "exec perl -MIO::Socket::INET -MTime::HiRes=time -e '"+sendPackets+"'")...)
	var arrived int
	var took float64
	if _, err := fmt.Sscanf(out, "%d %f", &arrived, &took); err != nil {
		t.Fatalf("the sender of packets printed %q: %v", out, err)
	}
	if most := 100 + int(took*1000); arrived == 0 || arrived > most {
		t.Errorf("%d of 20000 packets arrived in %.2f s, want at most %d", arrived, took, most)
	}
}

// sendPackets sends itself packets, and prints how many arrived and how long that took in seconds.
const sendPackets = `
my $to = IO::Socket::INET->new(Proto => "udp", LocalAddr => "127.0.0.1") or die;
my $from = IO::Socket::INET->new(Proto => "udp", PeerAddr => "127.0.0.1:" . $to->sockport) or die;
my ($n, $began) = (0, time);
for (1 .. 20000) {
	send $from, "x", 0 or die "send: $!";
	$n++ while defined recv $to, my $packet, 1, 0x40;
}
print "$n ", time - $began;
`
