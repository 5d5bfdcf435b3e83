//go:build linux

package image

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestHostMirrors(t *testing.T) {
	for name, c := range map[string]struct{ file, content, main, security string }{
		"no sources": {"sources.list", "", archive, security},
		"one-line format": {
			"sources.list",
			"# deb http://old/debian bookworm main\ndeb [arch=amd64] http://mirror.example/debian/ bookworm main\n",
			"http://mirror.example/debian", security,
		},
		"deb822 format": {
			"sources.list.d/debian.sources",
			"Types: deb\nURIs: https://m.example/debian\nSuites: bookworm\n\n" +
				"Types: deb\nURIs: https://m.example/debian-security\n",
			"https://m.example/debian", "https://m.example/debian-security",
		},
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
