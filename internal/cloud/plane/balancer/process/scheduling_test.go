//go:build linux

package process

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// awaitClass waits until all threads of a process are in a class.
func awaitClass(t *testing.T, pid int, want class) {
	t.Helper()
	for {
		other := 0
		threads, err := threadsOf(pid)
		if err != nil || len(threads) == 0 {
			t.Fatalf("%d threads, %v", len(threads), err)
		}
		for _, thread := range threads {
			attr, err := unix.SchedGetAttr(thread, 0)
			if errors.Is(err, unix.ESRCH) {
				continue // it has ended since
			}
			if err != nil {
				t.Fatal(err)
			}
			if class(attr.Policy) != want {
				other++
			}
		}
		if other == 0 {
			return
		}
		select {
		case <-t.Context().Done():
			t.Fatalf("%d of %d threads are not in class %d", other, len(threads), want)
		case <-time.After(time.Millisecond):
		}
	}
}

func TestEveryThreadChangesItsClass(t *testing.T) {
	pid := os.Getpid() // its own threads: no keeper adapts them
	for _, class := range []class{gathering, preempting} {
		if err := schedule(pid, class); err != nil {
			t.Fatal(err)
		}
		awaitClass(t, pid, class)
	}
}

// startChild starts a program that the test's end kills.
func startChild(t *testing.T, script string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), "sh", "-c", script)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { endChild(cmd) })
	return cmd
}

func endChild(cmd *exec.Cmd) { _, _ = cmd.Process.Kill(), cmd.Wait() }

func TestScheduleKeepsTheNiceValue(t *testing.T) {
	pid := startChild(t, "exec sleep 600").Process.Pid
	if err := unix.Setpriority(unix.PRIO_PROCESS, pid, 7); err != nil {
		t.Fatal(err)
	}
	if err := schedule(pid, gathering); err != nil {
		t.Fatal(err)
	}
	attr, err := unix.SchedGetAttr(pid, 0)
	if err != nil || attr.Nice != 7 || class(attr.Policy) != gathering {
		t.Errorf("%+v, %v", attr, err)
	}
}

func TestMeterReadsWhatThreadsGotSince(t *testing.T) {
	m := meter{pid: startChild(t, "while :; do :; done").Process.Pid}
	var sum usage
	for sum.ran < 20*time.Millisecond {
		used, err := m.read()
		if err != nil || used.ran < 0 || used.waited < 0 || used.slices < 0 || used.idle < 0 {
			t.Fatalf("%+v, %v", used, err)
		}
		sum = sum.plus(used)
	}
	if again, err := m.read(); err != nil || again.ran >= sum.ran {
		t.Errorf("%+v after %+v, %v", again, sum, err)
	}
}

func TestAdaptChangesTheClassUntilItsContextEnds(t *testing.T) {
	pid := startChild(t, "exec sleep 600").Process.Pid
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	// The pause has not begun, so the host, which may be busy, need not have been idle in it.
	r := rule{class: preempting, since: time.Now().Add(time.Hour), pause: 100 * time.Millisecond}
	go func() { done <- adapt(ctx, pid, r) }()
	awaitClass(t, pid, gathering)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestAdaptEndsWithTheProcess(t *testing.T) {
	cmd := startChild(t, "exec sleep 600")
	done := make(chan error)
	go func() { done <- adapt(t.Context(), cmd.Process.Pid, newRule(time.Now())) }()
	awaitClass(t, cmd.Process.Pid, gathering)
	endChild(cmd)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
