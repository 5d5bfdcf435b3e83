package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/cloud"
	"aloft.dev/aloft/internal/diag"
)

// told is what a person reads of an error, hints included.
func told(err error) string {
	var out strings.Builder
	for _, d := range diag.From(err) {
		_, _ = fmt.Fprintf(&out, "%s\n%s\n%s\n", d.Error(), d.Detail, d.Hint)
	}
	return out.String()
}

func demand(t *testing.T, err error, words ...string) {
	t.Helper()
	for _, word := range words {
		if text := told(err); !strings.Contains(text, word) {
			t.Errorf("got %q, want %q in it", text, word)
		}
	}
}

func TestAFolderAndAServerComeInAnyOrder(t *testing.T) {
	for _, test := range []struct {
		args        []string
		dir, server string
		fails       bool
	}{
		{nil, ".", "", false},
		{[]string{"server-2"}, ".", "server-2", false},
		{[]string{"shop", "server-2"}, "shop", "server-2", false},
		{[]string{"server-2", "shop"}, "shop", "server-2", false},
		{[]string{"server-1", "server-2"}, "server-2", "server-1", false}, // a folder may be called so
		{[]string{"shop", "other"}, "", "", true},
	} {
		dir, server, err := dirAndServer(test.args)
		if dir != test.dir || server != test.server || (err != nil) != test.fails {
			t.Errorf("%v: got %q, %q, %v", test.args, dir, server, err)
		}
	}
}

func TestAServerThatCannotBeReachedIsToldApartFromOneThatIsNotThere(t *testing.T) {
	status := &apply.Status{App: "shop", Machines: []apply.Machine{
		{Name: "server-1", State: "running", PublicIP: "198.18.0.1"},
		{Name: "server-2", State: "stopped"},
	}}
	if all, err := chosen(status, ""); err != nil || len(all) != 1 || all[0].Name != "server-1" {
		t.Errorf("got %v, %v", all, err)
	}
	_, err := chosen(status, "server-2")
	demand(t, err, "server-2: does not run", "server-2 (stopped)", "aloft up replaces")
	_, err = chosen(status, "server-3")
	demand(t, err, "server-3: is not a server of shop", "server-1 (running)")
	_, err = chosen(&apply.Status{App: "shop", Machines: status.Machines[1:]}, "")
	demand(t, err, "shop: none of its servers runs")
	_, err = chosen(&apply.Status{App: "shop"}, "")
	demand(t, err, "shop: has no servers yet", "aloft up makes them")
}

func TestADaemonOfAnotherVersionIsToldWithTheCommandThatReplacesIt(t *testing.T) {
	a := &app{version: "v2"}
	if err := a.sameVersion(cloud.Daemon{Version: "v2"}); err != nil {
		t.Error(err)
	}
	demand(
		t,
		a.sameVersion(cloud.Daemon{PID: 7, Version: "v1"}),
		"pid 7",
		"runs version v1, this aloft is v2",
		"sudo aloft local restart",
	)
}

func TestTheNextCommandFindsTheSameCloud(t *testing.T) {
	t.Setenv("SUDO_USER", "ada")
	for name, test := range map[string]struct {
		app  app
		want string
	}{
		"the local cloud with sudo": {app{on: "local", stateDir: cloud.DefaultStateDir}, "sudo aloft status"},
		"another local cloud":       {app{on: "local", stateDir: "/tmp/other"}, "sudo aloft status --state-dir /tmp/other"},
		"AWS":                       {app{on: "aws", stateDir: "/tmp/other", region: "eu-west-1", profile: "work"}, "aloft status --on aws --region eu-west-1 --profile work"},
	} {
		if got := test.app.sudo() + command("aloft status", ".") + test.app.again(); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	t.Setenv("SUDO_USER", "")
	if got := (&app{on: "local"}).sudo(); got != "" {
		t.Errorf("without sudo: got %q", got)
	}
}

func TestOnlyLoopbackIsServed(t *testing.T) {
	a := &app{stateDir: t.TempDir()}
	for _, address := range []string{"0.0.0.0:4566", "192.0.2.1:4566", ":4566", "localhost:4566", "127.0.0.1", "127.0.0.1:70000"} {
		if _, err := a.config(startOptions{address: address}); err == nil {
			t.Errorf("%s was taken", address)
		}
	}
	for _, address := range []string{"127.0.0.1:4566", "[::1]:4566"} {
		if _, err := a.config(startOptions{address: address}); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestNothingIsDeletedUnasked(t *testing.T) {
	a := &app{Stdio: Stdio{In: strings.NewReader("y\n"), Err: &bytes.Buffer{}}}
	demand(t, a.confirm("Delete it?"), "Delete it?", "add --yes")
	a.yes = true
	if err := a.confirm("Delete it?"); err != nil {
		t.Error(err)
	}
}

func TestMachinesGetTheHostsProxiesAndNothingElse(t *testing.T) {
	host := map[string]string{"HTTPS_PROXY": "http://proxy:3128", "no_proxy": "", "AWS_SECRET_ACCESS_KEY": "secret"}
	got := hostEnv(func(name string) (string, bool) { value, ok := host[name]; return value, ok })
	if len(got) != 2 || got["HTTPS_PROXY"] != "http://proxy:3128" {
		t.Errorf("got %v", got)
	}
}

func TestExitCodesTellHowACommandEnded(t *testing.T) {
	interrupted, cancel := context.WithCancelCause(t.Context())
	cancel(errInterrupted)
	for name, test := range map[string]struct {
		ctx  context.Context
		err  error
		code int
		says string
	}{
		"done":      {t.Context(), nil, ExitOK, ""},
		"changes":   {t.Context(), exit(ExitChanges), ExitChanges, ""},
		"a problem": {t.Context(), diag.List{{Where: "server-1", Summary: "is ill", Hint: "heal it"}}, ExitError, "Error: server-1: is ill\n  → heal it\n"},
		"a failed release": {t.Context(), &apply.Failure{Release: "r2", List: diag.List{{Where: "server-1", Summary: "crashes", Detail: "log: no database"}}}, ExitNotVerified,
			"Error: server-1: crashes\n  │ log: no database\n"},
		"any error":      {t.Context(), errors.New("no"), ExitError, "Error: no\n"},
		"Ctrl-C":         {interrupted, errors.New("canceled"), ExitInterrupted, "Stopped. Nothing is lost: run the same command again and it goes on from here.\n"},
		"done on Ctrl-C": {interrupted, nil, ExitOK, ""},
	} {
		var out, story bytes.Buffer
		a := &app{Stdio: Stdio{Out: &out, Err: &story}}
		if code := a.finish(test.ctx, test.err); code != test.code || story.String() != test.says || out.Len() != 0 {
			t.Errorf("%s: exit %d, said %q and %q", name, code, story.String(), out.String())
		}
	}
}

func TestProblemsAreJSONOnStandardOutputForScripts(t *testing.T) {
	var out, story bytes.Buffer
	a := &app{Stdio: Stdio{Out: &out, Err: &story}, json: true}
	if code := a.finish(t.Context(), diag.List{{Where: "aloft.yaml:1:2", Summary: "is wrong", Hint: "mend it"}}); code != ExitError ||
		story.Len() != 0 {
		t.Errorf("exit %d, said %q", code, story.String())
	}
	var document struct {
		Errors []struct{ Where, Summary, Hint string }
	}
	if err := json.Unmarshal(out.Bytes(), &document); err != nil || len(document.Errors) != 1 ||
		document.Errors[0].Where != "aloft.yaml:1:2" {
		t.Errorf("%v: %s", err, out.String())
	}
}

func TestTheTailOfALogIsWhatThisStartAddedToIt(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(file, []byte("before\nnow\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := tailFrom(file, 7); got != "now\n" {
		t.Errorf("got %q", got)
	}
	if err := os.WriteFile(file, bytes.Repeat([]byte("x"), 9000), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := tailFrom(file, 7); len(got) != 4096 {
		t.Errorf("got %d bytes, want the last 4096", len(got))
	}
	if got := tailFrom(file+"-missing", 0); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestAReleaseAndAFolderAreToldApart(t *testing.T) {
	for _, test := range []struct {
		args         []string
		release, dir string
		fails        bool
	}{
		{nil, "", ".", false},
		{[]string{"3"}, "3", ".", false},
		{[]string{"3f2a90c1"}, "3f2a90c1", ".", false},
		{[]string{"shop"}, "", "shop", false},
		{[]string{"3f2a90c1b2d4", "shop"}, "3f2a90c1b2d4", "shop", false},
		{[]string{"shop", "other"}, "", "", true},
	} {
		release, dir, err := releaseAndDir(test.args)
		if release != test.release || dir != test.dir || (err != nil) != test.fails {
			t.Errorf("%v: got %q, %q, %v", test.args, release, dir, err)
		}
	}
}
