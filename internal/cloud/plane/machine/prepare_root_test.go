//go:build linux && root

package machine_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
	"time"

	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/cloud/plane/machine"
)

func TestRealMachinesBootConcurrently(t *testing.T) {
	s := newFixture(t)
	start := time.Now()
	var group errgroup.Group
	for n := 1; n <= 3; n++ {
		group.Go(func() error {
			if _, err := s.plane.Prepare(t.Context(), s.machine(n)); err != nil {
				return err
			}
			return s.plane.Boot(t.Context(), s.machine(n).ID)
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 3; n++ {
		id := s.machine(n).ID
		serveMetadata(t, s.plane.Status(id).Namespace, metadataOf(s.machine(n)))
	}
	for n := 1; n <= 3; n++ {
		s.awaitSSH(s.machine(n).ID)
	}
	t.Logf("three machines answer after %v; their metadata services started late", time.Since(start))
	for n := 1; n <= 3; n++ {
		s.awaitSystem(s.machine(n).ID)
		s.expectOutput(s.machine(n).ID, map[string]string{"hostname": s.machine(n).Hostname})
	}
}

// What an interrupted Prepare leaves is not a machine, and does not prevent another Prepare.
func TestRealPrepareRecoversFromAnInterruption(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.plane.Prepare(interrupted, m); err == nil {
		t.Error("Prepare with an ended context succeeded")
	}
	if status := s.plane.Status(m.ID); status.State != machine.Absent {
		t.Errorf("status after an interruption: %+v", status)
	}
	spoiled := m
	spoiled.Layers = []string{filepath.Join(s.config.Dir, "no-such-layer")}
	if _, err := s.plane.Prepare(t.Context(), spoiled); err == nil {
		t.Error("Prepare succeeded without one of the layers")
	}
	if status := s.plane.Status(m.ID); status.State == machine.Running {
		t.Errorf("status after a failure: %+v", status)
	}
	s.bootFully(m)
	if err := os.Remove(filepath.Join(s.config.RunDir, m.ID, "control")); err != nil {
		t.Fatal(err)
	}
	if status := s.plane.Status(m.ID); status.State != machine.Exited || status.Exit != machine.Crash {
		t.Errorf("status without the control socket: %+v", status)
	}
	s.bootFully(m)
}

// A launcher whose machine is not prepared yet, or no longer, is not a machine either: its
// daemon was killed in the middle. Others would connect a namespace that does not exist.
func TestRealMachineWithoutItsNamespaceIsAbsent(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	namespace, err := s.plane.Prepare(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Unmount(namespace, unix.MNT_DETACH); err != nil {
		t.Fatal(err)
	}
	if now := s.plane.Status(m.ID); now.State != machine.Absent || now.Namespace != "" {
		t.Errorf("status %+v, want absent and without a namespace", now)
	}
	s.bootFully(m)
}
