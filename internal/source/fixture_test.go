package source

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/spec"
)

func problem(t *testing.T, err error) *diag.Diagnostic {
	t.Helper()
	var d *diag.Diagnostic
	if !errors.As(err, &d) {
		t.Fatalf("not a diagnostic: %v", err)
	}
	return d
}

// folder creates a small application.
func folder(t *testing.T) (*spec.Spec, Source) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "package.json", "{}", 0o644)
	write(t, dir, "aloft.yaml", "app: shop\nstart: node server.js\n", 0o644)
	write(t, dir, "bin/run", "#!/bin/sh\n", 0o755)
	write(t, dir, "node_modules/x/index.js", "", 0o644)
	if err := os.Symlink("bin/run", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	s, err := spec.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	source, err := Resolve(t.Context(), s, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s, source
}

func write(t *testing.T, dir, name, text string, mode os.FileMode) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}
