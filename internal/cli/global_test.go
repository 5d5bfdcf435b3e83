package cli

import (
	"path/filepath"
	"testing"

	"aloft.dev/aloft/internal/diag"
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

func TestRemediesNameTheSameCloud(t *testing.T) {
	g := &global{on: "local", stage: "staging", stateDir: defaultStateDir}
	for hint, want := range map[string]string{
		"aloft up deploys it":               "aloft up deploys it (with --stage staging)",
		"aloft up --stage prod makes one":   "aloft up --stage prod makes one",
		"sudo aloft local start":            "sudo aloft local start",
		"add a port to the security group":  "add a port to the security group",
		"aloft policy prints what it needs": "aloft policy prints what it needs",
	} {
		problem := &diag.Diagnostic{Hint: hint}
		if got := g.completeHints(diag.List{problem})[0].Hint; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if problem.Hint != hint {
			t.Errorf("%q became %q in the error", hint, problem.Hint)
		}
	}
}

func TestPrivateKeysStayInTheUsersFolderOfTheComputer(t *testing.T) {
	absolute := t.TempDir()
	for name, test := range map[string]struct {
		goos string
		env  map[string]string
		want string
	}{
		"Linux":               {"linux", map[string]string{"HOME": "/home/ada"}, "/home/ada/.local/share"},
		"macOS":               {"darwin", map[string]string{"HOME": "/Users/ada"}, "/Users/ada/.local/share"},
		"a folder of her own": {"darwin", map[string]string{"HOME": "/h", "XDG_DATA_HOME": absolute}, absolute},
		"a relative folder":   {"linux", map[string]string{"HOME": "/h", "XDG_DATA_HOME": "x"}, "/h/.local/share"},
		"Windows": {
			"windows", map[string]string{"HOME": "/c", "LOCALAPPDATA": "/ada/AppData/Local"}, "/ada/AppData/Local",
		},
		"no home": {"linux", nil, ""},
	} {
		got, err := dataDir(test.goos, func(name string) string { return test.env[name] })
		if filepath.ToSlash(got) != filepath.ToSlash(test.want) || (err == nil) != (test.want != "") {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, test.want)
		}
	}
}
