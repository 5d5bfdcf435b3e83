//go:build linux && root

package machine_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A machine that burns its processors comes after others, and has its weight again when it rests.
func TestRealMachineThatBurnsProcessorsComesLast(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	m.VCPUs, m.CPUWeight = 2, 5
	s.bootFully(m)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.plane.ShareProcessors(ctx) }()
	s.mustRun(m.ID, "systemd-run", "--quiet", "--unit=burn", "sh", "-c", "(while :; do :; done) & while :; do :; done")
	s.eventually("the machine comes last", time.Minute, func() bool { return s.isIdle(m.ID) })
	s.mustRun(m.ID, "systemctl", "kill", "--signal=KILL", "burn")
	s.eventually("the machine has its share again", time.Minute, func() bool { return !s.isIdle(m.ID) })
	if got := s.cpuWeight(m.ID); got != "5" && got != "51" {
		t.Errorf("afterwards its weight is %s, want 5 of 100 or 51 of 1024", got)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// isIdle reports whether a machine's cgroup comes after those of others.
func (s *fixture) isIdle(id string) bool {
	s.Helper()
	data, err := os.ReadFile(filepath.Join("/sys/fs/cgroup/cpu", s.config.CgroupName, id, "cpu.idle"))
	if err != nil {
		data, err = os.ReadFile(filepath.Join(s.cgroup(id), "cpu.idle"))
	}
	if err != nil {
		s.Fatal(err)
	}
	return strings.TrimSpace(string(data)) == "1"
}
