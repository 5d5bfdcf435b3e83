//go:build linux && root

package machine_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/machine"
)

func TestRealMachineRebootsInPlace(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	s.bootFully(m)
	changes := "echo kept >/srv/kept; echo gone >/run/gone; sed -i s/$/changed/ /etc/debian_version"
	s.mustRun(m.ID, "sh", "-c", changes)
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
	rebooted := after.State == machine.Running && after.Boots == 2 && after.PID != before.PID
	if !rebooted || after.Launcher != before.Launcher {
		t.Errorf("after the reboot: %+v, before: %+v", after, before)
	}
	s.awaitSystem(m.ID)

	if _, err := s.run(m.ID, "systemctl", "reboot"); err != nil {
		t.Logf("the command was killed by the reboot: %v", err)
	}
	s.awaitStatus("the machine boots again after a reboot from inside", m.ID, func(now machine.Status) bool {
		return now.Boots == 3 && now.State == machine.Running
	})
	s.awaitSystem(m.ID)
	s.expectOutput(m.ID, map[string]string{
		"cat /srv/kept; ls /run/gone 2>/dev/null": "kept",
		"ip -o address | grep -c 192.0.2.7":       "1",
		"cat /etc/ssh/*.pub /etc/machine-id":      keys,
		"grep -c changed /etc/debian_version":     "1",
	})
}

func TestRealMachineShutsDownCleanlyAndStartsWithItsDisk(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	s.bootFully(m)
	onStop := "ExecStop=/bin/sh -c \"echo stopped cleanly >/srv/stopped\""
	s.mustRun(m.ID, "systemd-run", "--unit=clean", "--property="+onStop, "sleep", "infinity")
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
	s.expectOutput(m.ID, map[string]string{"cat /srv/stopped": "stopped cleanly"})
	console, err := s.plane.Console(m.ID)
	if err != nil || strings.Count(string(console), "BEGIN SSH HOST KEY KEYS") != 2 {
		t.Errorf("the console does not have the output of two boots: %v\n%s", err, console)
	}
	if err := s.plane.Stop(t.Context(), m.ID, true); err != nil {
		t.Error(err)
	}
	m.NewConsole = true
	s.bootFully(m)
	console, err = s.plane.Console(m.ID)
	if err != nil || strings.Count(string(console), "BEGIN SSH HOST KEY KEYS") != 1 {
		t.Errorf("the new console does not have the output of one boot: %v\n%s", err, console)
	}
}

func TestRealMachineOutlivesTheDaemon(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	s.bootFully(m)
	before := s.plane.Status(m.ID)
	start := time.Now()
	s.plane = s.reopen()
	if now := s.plane.Status(m.ID); now.State != machine.Running || now.PID != before.PID || now.Boots != 1 {
		t.Errorf("the next daemon sees %+v, want %+v", now, before)
	}
	if ids := s.plane.List(); !slices.Equal(ids, []string{m.ID}) {
		t.Errorf("the next daemon lists %v, want %s alone", ids, m.ID)
	}
	t.Logf("adopted in %v", time.Since(start))
	if _, err := s.plane.Prepare(t.Context(), m); err != nil {
		t.Error(err)
	}
	if err := s.plane.Boot(t.Context(), m.ID); err != nil {
		t.Error(err)
	}
	if now := s.plane.Status(m.ID); now.PID != before.PID || now.Boots != 1 {
		t.Errorf("a second Prepare and Boot changed the status to %+v", now)
	}
	changes := s.plane.Watch(t.Context())
	<-changes // the existing machine
	go func() { _ = s.plane.Stop(t.Context(), m.ID, false) }()
	for id := range changes {
		if id == m.ID && s.plane.Status(m.ID).State == machine.Absent {
			break
		}
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
		t.Errorf("sshd of a frozen machine answered %q", got)
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
		t.Error("the namespace of a removed machine still exists")
	}
}
