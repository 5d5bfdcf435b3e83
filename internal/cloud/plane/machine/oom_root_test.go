//go:build linux && root

package machine_test

import (
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/machine"
)

// Root in a machine cannot make the host's OOM killer spare a process, so that it kills others.
func TestRealMachineDoesNotEscapeTheOOMKiller(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	m.MemoryMiB = 256
	s.bootFully(m)
	if out, err := s.inside(m.ID, "cat /proc/1/oom_score_adj /proc/self/oom_score_adj"); out != "0\n100" {
		t.Errorf("PID 1 and a service have the scores %q, %v", out, err)
	}
	for _, pid := range []string{"self", "1"} {
		for _, score := range []string{"-1000", "-1"} {
			if out, err := s.inside(m.ID, "echo "+score+" >/proc/"+pid+"/oom_score_adj"); err == nil {
				t.Errorf("root in the machine set the score of %s to %s: %s", pid, score, out)
			}
		}
	}
	// Many small processes fill the memory. PID 1 and the launcher are larger than each of them.
	launcher := s.plane.Status(m.ID).Launcher
	_, _ = s.inside(m.ID,
		`perl -e 'for (1..60) { fork or do { $x = "x" x (6 << 20); sleep 2; exit } } 1 while wait > 0'`)
	if now := s.plane.Status(m.ID); now.State != machine.Running || now.Launcher != launcher {
		t.Errorf("running out of memory ended the machine: %+v", now)
	}
}
