//go:build linux && root

package machine_test

import (
	"context"
	"syscall"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/machine"
)

func TestRealStatusAndWatchReportHowTheMachineExited(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	ctx, cancel := context.WithCancel(t.Context())
	changes := s.plane.Watch(ctx)
	received := make(chan string, 100)
	go func() {
		defer close(received)
		for id := range changes {
			received <- id
		}
	}()
	defer func() { // end the watch and wait until it has closed its channel
		cancel()
		for range received {
			continue
		}
	}()
	s.bootFully(m)
	for len(received) > 0 {
		<-received
	}
	_, _ = s.run(m.ID, "systemctl", "poweroff") // the command may be killed with the machine
	if id := <-received; id != m.ID {
		t.Errorf("the watch sent %s, want %s", id, m.ID)
	}
	s.awaitStatus("power off from inside", m.ID, func(now machine.Status) bool {
		return now.State == machine.Exited && now.Exit == machine.PowerOff
	})
	if err := s.plane.Boot(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
	s.awaitSystem(m.ID)
	if err := syscall.Kill(s.plane.Status(m.ID).PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.awaitStatus("crash", m.ID, func(now machine.Status) bool {
		return now.State == machine.Exited && now.Exit == machine.Crash
	})
	if err := syscall.Kill(s.plane.Status(m.ID).Launcher, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.awaitStatus("the launcher is gone", m.ID, func(now machine.Status) bool {
		return now.State == machine.Exited && now.Launcher == 0
	})
	s.bootFully(m) // what the dead launcher left does not prevent another boot
}
