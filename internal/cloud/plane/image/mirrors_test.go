//go:build linux

package image

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestHostMirrors(t *testing.T) {
	for name, c := range map[string]struct {
		file, content string
		want          Mirrors
	}{
		"no sources": {"sources.list", "", Mirrors{}},
		"one-line format": {
			"sources.list",
			"# deb http://old/debian bookworm main\ndeb [arch=amd64] http://mirror.example/debian/ bookworm main\n",
			Mirrors{"debian": "http://mirror.example/debian"},
		},
		"deb822 format": {
			"sources.list.d/debian.sources",
			"Types: deb\nURIs: https://m.example/debian\nSuites: bookworm\n\n" +
				"Types: deb\nURIs: https://m.example/debian-security\n",
			Mirrors{"debian": "https://m.example/debian", "debian-security": "https://m.example/debian-security"},
		},
		"Ubuntu": {
			"sources.list",
			"deb http://m.example/ubuntu noble main\ndeb http://security.ubuntu.com/ubuntu noble-security main\n",
			Mirrors{"ubuntu": "http://m.example/ubuntu"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), c.file)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := hostMirrors(strings.TrimSuffix(path, c.file)); !maps.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestMirrorsAreParsedAndReplaceArchives(t *testing.T) {
	for _, text := range []string{
		"debian", "fedora=http://m.example/fedora", "debian=ftp://m.example/debian", "ubuntu=http://a b",
	} {
		if _, err := ParseMirrors([]string{text}); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("ParseMirrors(%q): %v", text, err)
		}
	}
	m, err := ParseMirrors([]string{"debian=http://m.example/debian/", "ubuntu=https://m.example/ubuntu"})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{
		Debian13: {
			"deb http://m.example/debian trixie main",
			"deb http://m.example/debian trixie-updates main",
			"deb http://deb.debian.org/debian-security trixie-security main",
		},
		Ubuntu2404: {
			"deb https://m.example/ubuntu noble main universe",
			"deb https://m.example/ubuntu noble-updates main universe",
			"deb https://m.example/ubuntu noble-security main universe",
		},
	} {
		b, err := baseNamed(name)
		if err != nil {
			t.Fatal(err)
		}
		b.distribution = b.with(m)
		if got := b.sources(); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
