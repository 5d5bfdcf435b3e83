//go:build root

package machine_test

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/machine"
)

func (s *fixture) awaitStatus(what string, id string, holds func(machine.Status) bool) machine.Status {
	s.Helper()
	var last machine.Status
	defer func() {
		if s.Failed() {
			s.Logf("last status: %+v", last)
		}
	}()
	s.eventually(what, 20*time.Second, func() bool { last = s.plane.Status(id); return holds(last) })
	return last
}

func TestRealMachineRebootsInPlace(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	s.bootFully(m)
	s.mustRun(
		m.ID, "sh", "-c", "echo kept >/srv/kept; echo gone >/run/gone; sed -i s/$/changed/ /etc/debian_version",
	)
	keys := s.mustRun(m.ID, "sh", "-c", "cat /etc/ssh/*.pub /etc/machine-id")
	before := s.plane.Status(m.ID)
	s.mustRun(m.ID, "ip", "address", "add", "192.0.2.7/32", "dev", "lo")

	start := time.Now()
	if err := s.plane.Reboot(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
	s.awaitSSH(m.ID)
	t.Logf("reboot to sshd: %v", time.Since(start))
	after := s.plane.Status(m.ID)
	if after.State != machine.Running || after.Boots != 2 || after.PID == before.PID ||
		after.Launcher != before.Launcher {
		t.Errorf("after the reboot: %+v", after)
	}
	s.awaitSystem(m.ID)

	if _, err := s.run(m.ID, "systemctl", "reboot"); err != nil {
		t.Logf("reboot from inside hung up: %v", err)
	}
	s.awaitStatus(
		"a reboot from inside boots again",
		m.ID,
		func(now machine.Status) bool { return now.Boots == 3 && now.State == machine.Running },
	)
	s.awaitSystem(m.ID)
	s.expectOutput(m.ID, map[string]string{
		"cat /srv/kept; ls /run/gone 2>/dev/null": "kept",
		"ip -o address | grep -c 192.0.2.7":       "1",
		"cat /etc/ssh/*.pub /etc/machine-id":      keys,
		"grep -c changed /etc/debian_version":     "1",
	})
}

func TestRealMachineStopsInOrderAndStartsWithItsDisk(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	s.bootFully(m)
	s.mustRun(
		m.ID,
		"sh",
		"-c",
		"systemd-run --unit=orderly --property=ExecStop='/bin/sh -c \"echo stopped in order >/srv/story\"' sleep "+
			"infinity",
	)
	start := time.Now()
	if err := s.plane.Stop(t.Context(), m.ID, false); err != nil {
		t.Fatal(err)
	}
	t.Logf("stop: %v", time.Since(start))
	if status := s.plane.Status(m.ID); status.State != machine.Absent {
		t.Errorf("after Stop: %+v", status)
	}
	if err := s.plane.Stop(t.Context(), m.ID, false); err != nil {
		t.Errorf("stop again: %v", err)
	}
	s.bootFully(m)
	s.expectOutput(m.ID, map[string]string{"cat /srv/story": "stopped in order"})
	if console, err := s.plane.Console(m.ID); err != nil ||
		strings.Count(string(console), "BEGIN SSH HOST KEY KEYS") != 2 {
		t.Errorf("the console of both boots: %v\n%s", err, console)
	}
	if err := s.plane.Stop(t.Context(), m.ID, true); err != nil {
		t.Error(err)
	}
}

func TestRealMachineTellsHowItEnded(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	ctx, cancel := context.WithCancel(t.Context())
	changes := s.plane.Watch(ctx)
	told := make(chan string, 100)
	go func() {
		defer close(told)
		for id := range changes {
			told <- id
		}
	}()
	defer func() {
		cancel()
		for range told {
			continue
		}
	}() // the watch ends
	s.bootFully(m)
	for len(told) > 0 {
		<-told
	}
	_, _ = s.run(m.ID, "systemctl", "poweroff") // it may be cut off
	if id := <-told; id != m.ID {
		t.Errorf("told of %s", id)
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
	s.awaitStatus(
		"crash",
		m.ID,
		func(now machine.Status) bool { return now.State == machine.Exited && now.Exit == machine.Crash },
	)
	if err := syscall.Kill(s.plane.Status(m.ID).Launcher, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.awaitStatus(
		"the launcher is gone",
		m.ID,
		func(now machine.Status) bool { return now.State == machine.Exited && now.Launcher == 0 },
	)
	s.bootFully(m) // nothing of that stands in the way
}

func TestRealMachineOutlivesTheDaemon(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	s.bootFully(m)
	before := s.plane.Status(m.ID)
	start := time.Now()
	s.plane = s.reopen()
	if now := s.plane.Status(m.ID); now.State != machine.Running || now.PID != before.PID || now.Boots != 1 ||
		!slices.Equal(s.plane.List(), []string{m.ID}) {
		t.Errorf("the next daemon sees %+v", now)
	}
	t.Logf("found again in %v", time.Since(start))
	if _, err := s.plane.Prepare(t.Context(), m); err != nil {
		t.Error(err)
	}
	if err := s.plane.Boot(t.Context(), m.ID); err != nil {
		t.Error(err)
	}
	if now := s.plane.Status(m.ID); now.PID != before.PID || now.Boots != 1 {
		t.Errorf("preparing and booting again changed it to %+v", now)
	}
	changes := s.plane.Watch(t.Context())
	<-changes // that it is there
	go func() { _ = s.plane.Stop(t.Context(), m.ID, false) }()
	for id := range changes {
		if id == m.ID && s.plane.Status(m.ID).State == machine.Absent {
			break
		}
	}
}

func TestRealMachineIsHeldToItsSize(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	m.MemoryMiB = 256
	s.bootFully(m)
	if out, err := s.run(
		m.ID, "systemd-run", "--wait", "--pipe", "--quiet", "sh", "-c",
		"head -c 600M /dev/zero | tail -c 600M >/dev/null",
	); err == nil {
		t.Errorf("600 MB in a machine of 256: %s", out)
	}
	if now := s.plane.Status(m.ID); now.State != machine.Running {
		t.Errorf("out of memory ended the machine: %+v", now)
	}
	// Two busy loops of one second in a machine of one processor.
	out := s.mustRun(m.ID, "systemd-run", "--wait", "--pipe", "--quiet", "sh", "-c",
		"for i in 1 2; do timeout 1 sh -c 'while :; do :; done' & done; wait; times | tail -1")
	var minutes, userSeconds, seconds, systemSeconds float64
	if _, err := fmt.Sscanf(
		strings.NewReplacer("m", " ", "s", "").Replace(out), "%f %f %f %f", &minutes, &userSeconds, &seconds,
		&systemSeconds,
	); err != nil {
		t.Fatalf("%q: %v", out, err)
	}
	if used := userSeconds + systemSeconds; used > 1.35 {
		t.Errorf("two busy loops used %.2f s of a processor in 1 s", used)
	}
}

func TestRealMachineFreezesAndThaws(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	s.bootFully(m)
	namespace := s.plane.Status(m.ID).Namespace
	if err := s.plane.Freeze(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
	if got := sshBanner(namespace); got != "" {
		t.Errorf("a frozen machine says %q", got)
	}
	if err := s.plane.Thaw(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
	s.awaitSSH(m.ID)
	if err := s.plane.Freeze(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.plane.Remove(t.Context(), m.ID); err != nil {
		t.Errorf("remove a frozen machine: %v", err)
	}
	if err := exec.Command("nsenter", "--net="+namespace, "true").Run(); err == nil {
		t.Error("the namespace of a removed machine is still there")
	}
}
