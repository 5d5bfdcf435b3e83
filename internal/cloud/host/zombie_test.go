//go:build linux

package host

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// leaderEndsVariable makes this program end its first thread and live on.
const leaderEndsVariable = "ALOFT_TEST_LEADER_ENDS"

func init() {
	if os.Getenv(leaderEndsVariable) == "" {
		return
	}
	runtime.LockOSThread() // init runs on the first thread
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	_, _, _ = syscall.Syscall(syscall.SYS_EXIT, 0, 0, 0)
}

// TestAProcessEndsWithItsLastThread has a process whose first thread is a zombie while
// others hold its files, as one that is just being killed.
func TestAProcessEndsWithItsLastThread(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), leaderEndsVariable+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stat := fmt.Sprintf("/proc/%d/stat", cmd.Process.Pid)
	waitFor(t, func() bool {
		data, err := os.ReadFile(stat)
		return err == nil && strings.Contains(string(data), ") Z ")
	})
	if _, err := startTicks(cmd.Process.Pid); err != nil {
		t.Errorf("while its other threads run: %v", err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { _, err := startTicks(cmd.Process.Pid); return err != nil })
	_ = cmd.Wait()
}

func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); !ok(); <-tick.C {
		if time.Since(began) > time.Minute {
			t.Fatal("not within a minute")
		}
	}
}

// heldVariable makes this program hold memory, which takes the kernel a while to free.
const heldVariable = "ALOFT_TEST_HELD"

func init() {
	if os.Getenv(heldVariable) == "" {
		return
	}
	held := make([]byte, 512<<20)
	for i := 0; i < len(held); i += os.Getpagesize() {
		held[i] = 1
	}
	fmt.Println("held")
	_, _ = io.Copy(io.Discard, os.Stdin)
	runtime.KeepAlive(held)
	os.Exit(0)
}

func TestAKilledDaemonDoesNotRun(t *testing.T) {
	layout, err := LayoutFor(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	layout.RunDir = t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), heldVariable+"=1")
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	ticks, err := startTicks(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := (Daemon{PID: cmd.Process.Pid, Started: ticks}).write(layout); err != nil {
		t.Fatal(err)
	}
	if _, err := FindDaemon(t.Context(), layout); err != nil {
		t.Errorf("before it is killed: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if d, err := FindDaemon(t.Context(), layout); !errors.Is(err, ErrNotRunning) {
		t.Errorf("right after it was killed: %+v, %v", d, err)
	}
}
