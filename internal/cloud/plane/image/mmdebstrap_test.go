package image

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestHostsOwnMirrorsAreUsed(t *testing.T) {
	for name, c := range map[string]struct{ file, content, main, security string }{
		"no sources":    {"sources.list", "", archive, security},
		"one-line form": {"sources.list", "# deb http://old/debian bookworm main\ndeb [arch=amd64] http://mirror.example/debian/ bookworm main\n", "http://mirror.example/debian", security},
		"deb822 form": {"sources.list.d/debian.sources", "Types: deb\nURIs: https://m.example/debian\nSuites: bookworm\n\nTypes: deb\nURIs: https://m.example/debian-security\n",
			"https://m.example/debian", "https://m.example/debian-security"},
		"Ubuntu": {"sources.list", "deb http://archive.ubuntu.com/ubuntu noble main\n", archive, security},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), c.file)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
				t.Fatal(err)
			}
			apt := strings.TrimSuffix(path, c.file)
			if gotMain, gotSecurity := hostMirrors(apt); gotMain != c.main || gotSecurity != c.security {
				t.Errorf("got %s and %s, want %s and %s", gotMain, gotSecurity, c.main, c.security)
			}
		})
	}
}

func TestOnlyTheWayToTheArchiveIsTakenFromTheHostsApt(t *testing.T) {
	dump := "APT \"\";\nAPT::Install-Recommends \"true\";\nAcquire::http::Proxy \"http://proxy:3128\";\nAcquire::http::Proxy-Auto-Detect \"x\";\nAcquire::Check-Date \"false\";\n"
	want := []string{`Acquire::http::Proxy "http://proxy:3128";`, `Acquire::Check-Date "false";`}
	if got := archiveSettings([]byte(dump)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestProgressAndTheLastWordsOfABuildAreKept(t *testing.T) {
	var told []string
	out := "I: running apt-get update...\n" + strings.Repeat(
		"noise\n",
		30,
	) + "I: extracting archives...\nE: disk full\n"
	tail := reportProgress(strings.NewReader(out), func(stage string, behind float64) { told = append(told, stage) })
	if want := []string{"read the package lists", "extract packages"}; !slices.Equal(told, want) {
		t.Errorf("told %q", told)
	}
	if !strings.HasSuffix(tail, "E: disk full") || strings.Count(tail, "\n") > 15 {
		t.Errorf("tail %q", tail)
	}
}

func TestRecipeChangesOnlyWithTheImage(t *testing.T) {
	first, err := recipeDigest()
	if err != nil {
		t.Fatal(err)
	}
	if second, _ := recipeDigest(); second != first || len(first) != 10 {
		t.Errorf("recipes %s and %s", first, second)
	}
}

func TestImageIsConfiguredWithExecutableHooksAndAClosedSudoers(t *testing.T) {
	root := t.TempDir()
	for range 2 { // a second time finds everything as it left it
		if err := configureBase(root); err != nil {
			t.Fatal(err)
		}
	}
	for path, mode := range map[string]os.FileMode{"usr/lib/aloft/first-boot": 0o755, "etc/sudoers.d/90-aloft": 0o440, "etc/ssh/sshd_config.d/50-aloft.conf": 0o644} {
		if info, err := os.Stat(filepath.Join(root, path)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
	for path, target := range links {
		if got, err := os.Readlink(filepath.Join(root, path)); err != nil || got != target {
			t.Errorf("%s leads to %q, %v", path, got, err)
		}
	}
}
