//go:build linux && root

package failure

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"aloft.dev/aloft/test/program"
)

// TestRealAbandonedLocalCloudIsCleared kills all processes of a local cloud, as a
// host without memory does, and starts another local cloud.
func TestRealAbandonedLocalCloudIsCleared(t *testing.T) {
	first, second := program.New(t), program.New(t)
	before := map[program.Program]string{}
	for _, p := range []program.Program{first, second} {
		before[p] = p.KernelObjects(t)
		program.LendImages(t, p.State, "debian-12")
		t.Cleanup(func() { p.Must(t, "local", "reset", "--yes") })
	}
	first.Must(t, "local", "start", "--address", program.LocalAddress)
	killAll(t, first)

	_, story, code := second.Run(t, "local", "start", "--address", program.LocalAddress)
	if code != 0 || !strings.Contains(story, "Removed the networks that a killed local cloud had left") ||
		!strings.Contains(story, first.State) {
		t.Fatalf("exit %d\n%s", code, story)
	}
	t.Run("a live local cloud is named and not cleared", func(t *testing.T) {
		first.Refused(
			t,
			[]string{"local", "start", "--address", "127.0.0.1:4600"},
			[]string{"another local cloud", "local stop --state-dir " + second.State},
		)
	})
	second.Must(t, "local", "stop")
	first.Must(t, "local", "start", "--address", program.LocalAddress)
	first.Must(t, "local", "stop")
	for p, objects := range before {
		if left := program.Added(objects, p.KernelObjects(t)); left != "" {
			t.Errorf("left behind:\n%s", left)
		}
	}
}

// killAll kills every process of the program, each known by its executable, and waits until all
// are gone: a process loses its executable before it lets go of its locks.
func killAll(t *testing.T, p program.Program) {
	t.Helper()
	killed := map[int]bool{}
	for {
		found := 0
		processes, _ := filepath.Glob("/proc/[0-9]*/exe")
		for _, process := range processes {
			exe, err := os.Readlink(process)
			if err != nil || strings.TrimSuffix(exe, " (deleted)") != p.Binary {
				continue
			}
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(process)))
			if err == nil && syscall.Kill(pid, syscall.SIGKILL) == nil {
				killed[pid] = true
				found++
			}
		}
		if found == 0 {
			break
		}
	}
	program.Eventually(t, program.Patience, "the killed processes are gone", func() bool {
		for pid := range killed {
			if syscall.Kill(pid, 0) == nil {
				return false
			}
		}
		return true
	})
}
