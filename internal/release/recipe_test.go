package release

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/golden"
	"aloft.dev/aloft/internal/project"
	"aloft.dev/aloft/internal/source"
	"aloft.dev/aloft/internal/spec"
)

func application() *spec.Spec {
	return &spec.Spec{
		App: "shop", Port: 8080,
		Env:          map[string]string{"PRICE": "5 $ & `more`", "QUOTE": "say \"hi\" \\ it's\nfine"},
		LoadBalancer: spec.LoadBalancer{Health: spec.Health{Path: "/health?full=1", Matcher: "200-299,304"}},
	}
}

// builder returns a builder of an application with everything that a release may have.
func builder() *Builder {
	return &Builder{
		Spec: application(),
		Source: source.Source{
			Root: "/home/me/shop", Dir: "apps/web", Digest: "d1",
			Project: &project.Project{
				Language: project.Node, Version: ">=20", Manager: project.PNPM, ManagerVersion: "9.12.0",
				Workspace: ".", Install: []string{"pnpm install --frozen-lockfile"},
				Build: []string{"pnpm run build"}, Prune: []string{"pnpm prune --prod"},
				Start: `FLAG="100%" nodemon server.js --price $PRICE`, Release: "node migrate.js 'it''s'",
				Processes: map[string]string{"worker": "node worker.js"},
				Env:       map[string]string{"NODE_ENV": "production"},
				Path:      []string{"node_modules/.bin", "../../node_modules/.bin"},
				Packages:  []string{"build-essential"},
			},
		},
		Mirrors: Mirrors{NPM: "http://127.0.0.1:4873/it's"},
	}
}

// bare returns a builder of an application with nothing but a start command.
func bare() *Builder {
	b := builder()
	b.Source.Dir, b.Source.Project, b.Mirrors = "", &project.Project{Start: "./serve"}, Mirrors{}
	return b
}

func TestRecipeGolden(t *testing.T) {
	for name, b := range map[string]*Builder{"full": builder(), "bare": bare()} {
		var out strings.Builder
		out.WriteString(b.variables())
		for _, step := range slices.Concat(b.recipe(), b.releaseCommand(), []step{b.seal()}) {
			out.WriteString(
				"==== " + step.number + " " + step.name + "\n" + strings.TrimPrefix(step.script, b.variables()),
			)
		}
		golden.Check(t, filepath.Join("testdata", "recipe-"+name+".txt"), out.String())
	}
}

func TestUnitGolden(t *testing.T) {
	golden.Check(t, filepath.Join("testdata", "unit.txt"), builder().unitFiles())
}

func TestScriptsAreValidShell(t *testing.T) {
	for _, b := range []*Builder{builder(), bare()} {
		for _, step := range slices.Concat(b.recipe(), b.releaseCommand(), []step{b.seal()}) {
			cmd := exec.Command("sh", "-n")
			cmd.Stdin = strings.NewReader(step.script)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", step.name, err, out)
			}
			if strings.Contains(step.script, "# open ") {
				t.Errorf("%s: a script is missing", step.name)
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
	b := builder()
	for _, p := range b.processes() {
		path := filepath.Join(t.TempDir(), p.unit)
		if err := os.WriteFile(path, []byte(b.unitFile(p)), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(analyze, "verify", path).CombinedOutput()
		if strings.Contains(string(out), path+":") || strings.Contains(string(out), "nknown") {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

func TestIDDependsOnWhatShapesTheMachine(t *testing.T) {
	id := builder().ID("ami-1")
	golden.Check(t, filepath.Join("testdata", "id.txt"), id+"\n")
	seen := map[string]string{id: "nothing"}
	for name, change := range map[string]func(*Builder){
		"app":      func(b *Builder) { b.Spec.App = "other" },
		"port":     func(b *Builder) { b.Spec.Port = 1 },
		"packages": func(b *Builder) { b.Spec.Build.Packages = []string{"imagemagick"} },
		"digest":   func(b *Builder) { b.Source.Digest = "1" },
		"dir":      func(b *Builder) { b.Source.Dir = "api" },
		"start":    func(b *Builder) { b.Source.Project.Start = "node server.js" },
		"version":  func(b *Builder) { b.Source.Project.Version = ">=22" },
		"manager":  func(b *Builder) { b.Source.Project.ManagerVersion = "10.0.0" },
		"build":    func(b *Builder) { b.Source.Project.Build = nil },
		"process":  func(b *Builder) { b.Source.Project.Processes = nil },
	} {
		b := builder()
		change(b)
		now := b.ID("ami-1")
		if earlier, ok := seen[now]; ok || len(now) != 12 {
			t.Errorf("%s and %s give %s", name, earlier, now)
		}
		seen[now] = name
	}
	if builder().ID("ami-2") == id {
		t.Error("the base image does not count")
	}
	for name, change := range map[string]func(*Builder){
		"count": func(b *Builder) { b.Spec.Machines.Count = 9 },
		"health": func(b *Builder) {
			b.Spec.LoadBalancer.Health = spec.Health{Path: "/", Matcher: "200", Interval: time.Minute}
		},
		"security": func(b *Builder) { b.Spec.Security.App.From = []netip.Prefix{spec.Anywhere} },
		"mirror":   func(b *Builder) { b.Mirrors.NPM = "" },
		"env":      func(b *Builder) { b.Spec.Env["PRICE"] = "6" },
		"notes":    func(b *Builder) { b.Source.Project.Notes = []string{"read this"} },
	} {
		b := builder()
		if change(b); b.ID("ami-1") != id {
			t.Errorf("%s counts, and a new image would be made for it", name)
		}
	}
}
