//go:build linux && root

package machine_test

import (
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestRealUsageCountsTheMachinesProcessorTime(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	if _, ok := s.plane.Usage(m.ID); ok {
		t.Error("an absent machine has a usage")
	}
	s.bootFully(m)
	first, ok := s.plane.Usage(m.ID)
	if !ok || first.CPU <= 0 {
		t.Fatalf("processor time after booting: %v (%v)", first.CPU, ok)
	}
	began := time.Now()
	s.mustRun(m.ID, "systemd-run", "--quiet", "--unit=busy", "sh", "-c", "while :; do :; done")
	s.eventually("the machine has used 100 ms", 20*time.Second, func() bool {
		now, _ := s.plane.Usage(m.ID)
		return now.CPU-first.CPU > 100*time.Millisecond
	})
	now, _ := s.plane.Usage(m.ID)
	// The machine has one processor, and an idle system uses little.
	if used, most := now.CPU-first.CPU, time.Since(began)+200*time.Millisecond; used > most {
		t.Errorf("the machine used %v of processor time, want at most %v", used, most)
	}
	if _, ok := s.reopen().Usage(m.ID); !ok {
		t.Error("the next daemon sees no usage")
	}
}

func TestRealUsageCountsTheTrafficOfTheMachinesInterfaces(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	s.bootFully(m)
	if first, ok := s.plane.Usage(m.ID); !ok || first.Received > 0 || first.Sent > 0 {
		t.Fatalf("a machine with only a loopback interface has traffic: %+v", first)
	}
	// A veth pair inside the machine: an interface that comes up sends packets to its peer.
	namespace := s.plane.Status(m.ID).Namespace
	for _, command := range []string{"link add a0 type veth peer name b0", "link set a0 up", "link set b0 up"} {
		args := append([]string{"--net=" + namespace, "ip"}, strings.Fields(command)...)
		if out, err := exec.Command("nsenter", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", command, err, out)
		}
	}
	s.eventually("bytes are counted in both directions", 20*time.Second, func() bool {
		now, _ := s.plane.Usage(m.ID)
		return now.Received > 0 && now.Sent > 0
	})
}
