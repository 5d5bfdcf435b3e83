package release

import (
	"flag"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/spec"
)

var update = flag.Bool("update", false, "write golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; -update writes it):\n%s", name, diff)
	}
}

func application() *spec.Spec {
	return &spec.Spec{
		App: "shop", Start: `FLAG="100%" nodemon server.js --price $PRICE`, Port: 8080,
		Env:          map[string]string{"PRICE": "5 $ & `more`", "QUOTE": "say \"hi\" \\ it's\nfine"},
		LoadBalancer: spec.LoadBalancer{Health: spec.Health{Path: "/health?full=1", Matcher: "200-299,304"}},
	}
}

var fromGit = Source{
	Git:    "https://example.com/it's.git",
	Commit: strings.Repeat("ab", 20),
	Digest: strings.Repeat("ab", 20),
	Dir:    "web",
}

func TestRecipeGolden(t *testing.T) {
	for name, source := range map[string]Source{
		"folder": {Path: "/home/me/shop", Locked: true, Digest: "d1"}, "git": fromGit,
	} {
		var out strings.Builder
		for _, step := range Recipe(application(), source) {
			out.WriteString("==== " + step.Number + " " + step.Name + "\n" + strings.TrimPrefix(
				step.Script,
				variables(application(), source)+readScript("begin.sh"),
			))
		}
		golden(t, "recipe-"+name+".txt", variables(application(), source)+out.String())
	}
}

func TestUnitGolden(t *testing.T) {
	golden(t, "unit.txt", unit(application(), fromGit)+"\n"+environment(application()))
}

func TestScriptsAreValidShell(t *testing.T) {
	for _, source := range []Source{{Path: "/x"}, fromGit} {
		for _, step := range Recipe(application(), source) {
			cmd := exec.Command("sh", "-n")
			cmd.Stdin = strings.NewReader(step.Script)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", step.Name, err, out)
			}
			if strings.Contains(step.Script, "# open ") {
				t.Errorf("%s: a script is missing", step.Name)
			}
		}
	}
}

func TestSystemdAcceptsTheUnit(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("systemd-analyze is not installed; only the golden file is checked")
		return
	}
	path := filepath.Join(t.TempDir(), Unit("shop"))
	if err := os.WriteFile(path, []byte(unit(application(), fromGit)), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(analyze, "verify", path).CombinedOutput()
	if strings.Contains(string(out), path+":") || strings.Contains(string(out), "nknown") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestIDDependsOnWhatShapesTheMachine(t *testing.T) {
	id := ID("ami-1", application(), fromGit)
	golden(t, "id.txt", id+"\n")
	seen := map[string]string{id: "nothing"}
	for name, other := range map[string]func(*spec.Spec, *Source){
		"app":    func(s *spec.Spec, _ *Source) { s.App = "other" },
		"start":  func(s *spec.Spec, _ *Source) { s.Start = "node server.js" },
		"port":   func(s *spec.Spec, _ *Source) { s.Port = 1 },
		"env":    func(s *spec.Spec, _ *Source) { s.Env["PRICE"] = "6" },
		"commit": func(_ *spec.Spec, source *Source) { source.Commit, source.Digest = "1", "1" },
		"digest": func(_ *spec.Spec, source *Source) { source.Digest = "1" },
		"dir":    func(_ *spec.Spec, source *Source) { source.Dir = "api" },
	} {
		s, source := application(), fromGit
		other(s, &source)
		now := ID("ami-1", s, source)
		if earlier, ok := seen[now]; ok || len(now) != 12 {
			t.Errorf("%s and %s give %s", name, earlier, now)
		}
		seen[now] = name
	}
	if ID("ami-2", application(), fromGit) == id {
		t.Error("the base image does not count")
	}
	for name, other := range map[string]func(*spec.Spec){
		"count": func(s *spec.Spec) { s.Machines.Count = 9 },
		"health": func(s *spec.Spec) {
			s.LoadBalancer.Health = spec.Health{Path: "/", Matcher: "200", Interval: time.Minute}
		},
		"security": func(s *spec.Spec) { s.Security.App.From = []netip.Prefix{spec.Anywhere} },
	} {
		s := application()
		if other(s); ID("ami-1", s, fromGit) != id {
			t.Errorf("%s counts, and a new image would be made for it", name)
		}
	}
}

// The shell itself checks the quoting.
func TestQuoteShell(t *testing.T) {
	for _, text := range []string{"", "plain", "it's", `a "b" \c`, "$HOME `id` $(id)", "two\nlines", "*"} {
		out, err := exec.Command("sh", "-c", "printf %s "+quoteShell(text)).Output()
		if err != nil || string(out) != text {
			t.Errorf("%q came back as %q, %v", text, out, err)
		}
	}
}
