package cli

import (
	"testing"
)

func TestNextCommandUsesTheSameCloud(t *testing.T) {
	t.Setenv("SUDO_USER", "ada")
	for name, test := range map[string]struct {
		global global
		want   string
	}{
		"the local cloud with sudo": {
			global{on: "local", stateDir: defaultStateDir},
			"sudo aloft status",
		},
		"another local cloud": {
			global{on: "local", stateDir: "/tmp/other"},
			"sudo aloft status --state-dir /tmp/other",
		},
		"AWS": {
			global{on: "aws", stateDir: "/tmp/other", region: "eu-west-1", profile: "work"},
			"aloft status --on aws --region eu-west-1 --profile work",
		},
	} {
		if got := test.global.nextCommand("aloft status", "."); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	t.Setenv("SUDO_USER", "")
	g := &global{on: "local", stateDir: defaultStateDir}
	if got, want := g.nextCommand("aloft up", "shop"), "aloft up shop"; got != want {
		t.Errorf("without sudo: got %q, want %q", got, want)
	}
}
