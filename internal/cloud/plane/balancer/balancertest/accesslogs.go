//go:build linux

package balancertest

import (
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// AccessLogs returns the names and the lines of all access logs below the folder.
func AccessLogs(t *testing.T, dir string) (names, lines []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		zip, err := gzip.NewReader(file)
		if err != nil {
			return err
		}
		text, err := io.ReadAll(zip)
		name, _ := filepath.Rel(dir, path)
		names = append(names, name)
		lines = append(lines, strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names, lines
}
