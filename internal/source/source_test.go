package source

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/spec"
)

func resolve(t *testing.T, s *spec.Spec) Source {
	t.Helper()
	source, err := Resolve(t.Context(), s, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func TestDigestDependsOnWhatIsServed(t *testing.T) {
	for _, isGit := range []bool{false, true} {
		s, _ := folder(t)
		dir := s.Source.Path
		if isGit {
			write(t, dir, ".gitignore", "*.log\n", 0o644)
			git(t, dir, "init", "-q")
			git(t, dir, "add", "-A")
		}
		before := resolve(t, s).Digest
		same := []func(){
			func() { write(t, dir, "aloft.yaml", "app: other\nstart: node server.js\n", 0o644) },
			func() { write(t, dir, "node_modules/x/index.js", "changed", 0o644) },
			func() { write(t, dir, ".aloft/state", "", 0o644) },
			func() { _ = os.Chmod(filepath.Join(dir, "package.json"), 0o600) },
		}
		if isGit {
			same = append(same, func() { write(t, dir, "debug.log", "noise", 0o644) })
		}
		for i, change := range same {
			if change(); resolve(t, s).Digest != before {
				t.Errorf("git %v: change %d counts", isGit, i)
			}
		}
		seen := map[string]int{before: -1}
		for i, change := range []func(){
			func() { write(t, dir, "package.json", `{"name": "x"}`, 0o644) },
			func() { write(t, dir, "new.js", "", 0o644) },
			func() { _ = os.Rename(filepath.Join(dir, "new.js"), filepath.Join(dir, "newer.js")) },
			func() { _ = os.Chmod(filepath.Join(dir, "newer.js"), 0o755) },
			func() { _ = os.Remove(filepath.Join(dir, "link")) },
			func() { _ = os.Symlink("newer.js", filepath.Join(dir, "link")) },
		} {
			change()
			now := resolve(t, s)
			if earlier, ok := seen[now.Digest]; ok {
				t.Errorf("git %v: changes %d and %d have the same digest", isGit, i, earlier)
			}
			seen[now.Digest] = i
		}
	}
}

// Variables are kept out of images, also those in a file that git does not ignore.
func TestFileOfVariablesIsNotShipped(t *testing.T) {
	s, _ := folder(t)
	dir := s.Source.Path
	write(t, dir, "config/.env", "PASSWORD=secret\n", 0o600)
	s.EnvFile = filepath.Join(dir, "config/.env")
	files, err := listFiles(t.Context(), resolve(t, s))
	if got := strings.Join(files, " "); err != nil || got != "bin/run link package.json" {
		t.Errorf("got %s %v", got, err)
	}
}

func TestFolderIgnoredByGitIsShippedWhole(t *testing.T) {
	s, _ := folder(t)
	outer := filepath.Dir(s.Source.Path)
	git(t, outer, "init", "-q")
	write(t, outer, ".gitignore", "/"+filepath.Base(s.Source.Path)+"/\n", 0o644)
	files, err := listFiles(t.Context(), resolve(t, s))
	if got := strings.Join(files, " "); err != nil || got != "bin/run link package.json" {
		t.Errorf("got %s %v", got, err)
	}
}

func TestResolveReportsUnusableSources(t *testing.T) {
	empty := t.TempDir()
	write(t, empty, "file", "", 0o644)
	if err := os.Mkdir(filepath.Join(empty, "none"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ path, summary string }{
		{filepath.Join(empty, "nowhere"), "no folder "},
		{filepath.Join(empty, "file"), "is not a folder"},
		{filepath.Join(empty, "none"), "has no files"},
	} {
		_, err := Resolve(t.Context(), &spec.Spec{Source: spec.Source{Path: test.path}}, t.TempDir())
		if d := problem(t, err); !strings.Contains(d.Summary, test.summary) || d.Hint == "" {
			t.Errorf("%s: %+v", test.path, d)
		}
	}
}

// git runs git without the user's settings.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command(
		"git",
		append(
			[]string{"-c", "user.name=n", "-c", "user.email=n@example.com", "-c", "init.defaultBranch=main"},
			args...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// repository has a commit on main, a second one on feature/login, and an
// annotated tag of the first. It returns its URL and both commits.
func repository(t *testing.T) (url, first, second string) {
	t.Helper()
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	write(t, dir, "web/package.json", "{}", 0o644)
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "-q", "-m", "first")
	git(t, dir, "tag", "-a", "v1.0", "-m", "first")
	git(t, dir, "switch", "-q", "-c", "feature/login")
	write(t, dir, "web/server.js", "", 0o644)
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "-q", "-m", "second")
	git(t, dir, "switch", "-q", "main")
	return "file://" + dir, git(t, dir, "rev-parse", "main"), git(t, dir, "rev-parse", "feature/login")
}

func TestRefResolvesToItsCommit(t *testing.T) {
	url, first, second := repository(t)
	for ref, want := range map[string]string{
		"": first, "HEAD": first, "main": first, "v1.0": first, "refs/tags/v1.0": first, "heads/feature/login": second,
		"feature/login": second, second[:8]: second, second: second,
	} {
		source := resolve(t, &spec.Spec{Start: "node server.js", Source: spec.Source{Git: url, Ref: ref, Dir: "web/"}})
		if source.Commit != want || source.Digest != want || source.Dir != "web" {
			t.Errorf("%s: %+v, want %s", ref, source, want)
		}
	}
}

func TestUnknownRefSuggestsNearOnes(t *testing.T) {
	url, _, _ := repository(t)
	for ref, hint := range map[string]string{
		"feature/logn": "did you mean feature/login?", "mian": "did you mean main?",
		"something-else-altogether": "it has feature/login, main, v1.0",
		"0123abcd":                  "use the full commit id, a branch or a tag: a repository lists no other commits",
	} {
		_, err := Resolve(
			t.Context(),
			&spec.Spec{File: "aloft.yaml", Source: spec.Source{Git: url, Ref: ref}},
			t.TempDir(),
		)
		if d := problem(t, err); d.Hint != hint || !strings.Contains(d.Summary, "has no ref "+ref) ||
			d.Where != "aloft.yaml" {
			t.Errorf("%s: %+v", ref, d)
		}
	}
	_, err := Resolve(t.Context(), &spec.Spec{Source: spec.Source{Git: "file:///nowhere/at/all"}}, t.TempDir())
	if d := problem(t, err); !strings.Contains(d.Summary, "cannot be read") || !strings.Contains(d.Detail, "nowhere") {
		t.Errorf("%+v", d)
	}
}

func TestRedactHidesCredentials(t *testing.T) {
	for raw, want := range map[string]string{
		"https://token@example.com/a.git": "https://xxxxx@example.com/a.git",
		"https://u:p@example.com/a.git":   "https://xxxxx@example.com/a.git",
		"ssh://git@example.com/a.git":     "ssh://git@example.com/a.git",
		"git@example.com:a.git":           "git@example.com:a.git",
	} {
		if got := redact(raw); got != want {
			t.Errorf("%s is shown as %s", raw, got)
		}
	}
}

func TestNeedsOwnCredentials(t *testing.T) {
	for url, want := range map[string]bool{
		"https://example.com/a.git": false, "http://192.0.2.7:8080/a": false, "git://example.com/a": false,
		"git@example.com:a.git": true, "ssh://git@example.com/a": true, "https://token@example.com/a": true,
		"file:///srv/a": true, "/srv/a": true, "a/b": true,
		"http://localhost:3000/a": true, "http://127.0.0.1/a": true, "https://git.localhost/a": true,
	} {
		if got := needsOwnCredentials(url); got != want {
			t.Errorf("%s: %v, want %v", url, got, want)
		}
	}
}

func TestCommitIsCheckedOutOnce(t *testing.T) {
	url, first, second := repository(t)
	cache := t.TempDir()
	at := func(ref string) Source {
		t.Helper()
		s := &spec.Spec{App: "shop", Start: "node server.js", Source: spec.Source{Git: url, Ref: ref, Dir: "web"}}
		source, err := Resolve(t.Context(), s, cache)
		if err != nil {
			t.Fatal(err)
		}
		return source
	}
	source := at("v1.0")
	files, err := listFiles(t.Context(), source)
	if err != nil || source.Digest != first || strings.Join(files, " ") != "web/package.json" {
		t.Errorf("%s has %v, %v", source.Digest, files, err)
	}
	if err := source.Pack(t.Context(), io.Discard); err != nil {
		t.Error(err)
	}
	if again := at("main"); again.Root != source.Root {
		t.Errorf("cloned twice: %s and %s", source.Root, again.Root)
	}
	old := time.Now().Add(-2 * keepCheckouts)
	if err := os.Chtimes(source.Root, old, old); err != nil {
		t.Fatal(err)
	}
	if other := at("feature/login"); other.Digest != second {
		t.Errorf("got %s", other.Digest)
	}
	if _, err := os.Stat(source.Root); !os.IsNotExist(err) {
		t.Errorf("an old checkout stays: %v", err)
	}
	_, err = Resolve(t.Context(), &spec.Spec{Source: spec.Source{Git: url, Ref: strings.Repeat("ab", 20)}}, cache)
	if d := problem(t, err); !strings.Contains(d.Summary, "cannot be cloned") || d.Detail == "" {
		t.Errorf("%+v", d)
	}
	if left, _ := filepath.Glob(filepath.Join(cache, "source", "*", ".clone-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestRelativeRepositoryPath(t *testing.T) {
	url, first, _ := repository(t)
	dir := strings.TrimPrefix(url, "file://")
	if source := resolve(t, &spec.Spec{
		Dir: filepath.Dir(dir), Start: "node server.js", Source: spec.Source{Git: filepath.Base(dir)},
	}); source.Commit != first ||
		source.Git != dir {
		t.Errorf("%+v", source)
	}
}
