package host

import (
	"errors"
	"os"
	"testing"
)

func TestAReusedPidIsNotTheDaemon(t *testing.T) {
	layout, err := LayoutFor(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	layout.RunDir = t.TempDir()
	ticks, err := startTicks(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := (Daemon{PID: os.Getpid(), Started: ticks}).write(layout); err != nil {
		t.Fatal(err)
	}
	if _, err := FindDaemon(layout); err != nil {
		t.Errorf("this process runs: %v", err)
	}
	if err := (Daemon{PID: os.Getpid(), Started: ticks - 1}).write(layout); err != nil {
		t.Fatal(err)
	}
	if _, err := FindDaemon(layout); !errors.Is(err, ErrNotRunning) {
		t.Errorf("a reused pid: %v", err)
	}
}
