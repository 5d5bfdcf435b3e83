//go:build root

package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestRealAbandonedLocalCloudMakesWay kills all of a local cloud's processes, as
// a host does that runs out of memory, and starts another.
func TestRealAbandonedLocalCloudMakesWay(t *testing.T) {
	first, second, before := newProgram(t), newProgram(t), kernelObjects(t)
	for _, p := range []program{first, second} {
		lendImages(t, p.state)
		t.Cleanup(func() { p.must(t, "local", "reset", "--yes") })
	}
	first.must(t, "local", "start", "--address", localAddress)
	first.killAll(t)

	_, story, code := second.run(t, "local", "start", "--address", localAddress)
	if code != 0 || !strings.Contains(story, "Cleared the networks that a local cloud left") ||
		!strings.Contains(story, first.state) {
		t.Fatalf("exit %d\n%s", code, story)
	}
	t.Run("one that lives does not and is named", func(t *testing.T) {
		first.refused(
			t,
			[]string{"local", "start", "--address", "127.0.0.1:4600"},
			[]string{"another local cloud", "local stop --state-dir " + second.state},
		)
	})
	second.must(t, "local", "stop")
	first.must(t, "local", "start", "--address", localAddress)
	first.must(t, "local", "stop")
	if left := added(before, kernelObjects(t)); left != "" {
		t.Errorf("left behind:\n%s", left)
	}
}

// killAll kills every process of the program, each known by its executable.
func (p program) killAll(t *testing.T) {
	t.Helper()
	for {
		found := 0
		processes, _ := filepath.Glob("/proc/[0-9]*/exe")
		for _, process := range processes {
			exe, err := os.Readlink(process)
			if err != nil || strings.TrimSuffix(exe, " (deleted)") != p.binary {
				continue
			}
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(process)))
			if err == nil && syscall.Kill(pid, syscall.SIGKILL) == nil {
				found++
			}
		}
		if found == 0 {
			return
		}
	}
}
