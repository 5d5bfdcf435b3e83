package cli

import (
	"bytes"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/apply"
)

func TestStatusNamesServersWithAnotherEnvironment(t *testing.T) {
	for want, environments := range map[string][]string{
		"env-3":                            {"env-3", "env-3"},
		"env-3; server-2 runs with env-2":  {"env-3", "env-2"},
		"env-3; server-1 runs without one": {"", "env-3"},
		"env-3; server-2 was being restarted with another": {"env-3", "changes"},
	} {
		s := &apply.Status{Environment: "env-3"}
		for i, env := range environments {
			s.Machines = append(s.Machines, apply.Machine{Name: []string{"server-1", "server-2"}[i], Environment: env})
		}
		if got := environmentOf(s); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestStatusNamesWhoIsToldNothingAndWhatHasGoneOff(t *testing.T) {
	a := &apply.Alerts{
		Emails: []string{"me@example.com", "you@example.com"}, Unconfirmed: []string{"you@example.com"},
		Firing: []string{"alarm-down"},
	}
	const want = "me@example.com, you@example.com " +
		"(is told nothing until it opens the link in the email that it received)"
	if got := alertsOf(a); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	got := firing(a)
	if len(got) != 1 || got[0] != "alarm-down has gone off: no server is healthy for 2 minutes\n" {
		t.Errorf("got %q", got)
	}
	if got := firing(nil); got != nil {
		t.Errorf("an application without alerts has %q", got)
	}
}

func TestTheTableOfPrivateServersHasNoPublicAddresses(t *testing.T) {
	for address, want := range map[string]bool{"": false, "198.51.100.7": true} {
		var out bytes.Buffer
		g := &global{Stdio: Stdio{Out: &out}}
		server := apply.Machine{Name: "server-1", PublicIP: address, State: "running"}
		g.printServers(&apply.Status{Machines: []apply.Machine{server}})
		table := out.String()
		if strings.Contains(table, "PUBLIC IP") != want || !strings.Contains(table, "running") {
			t.Errorf("with address %q:\n%s", address, table)
		}
	}
}
