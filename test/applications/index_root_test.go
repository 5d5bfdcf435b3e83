//go:build linux && root

package applications

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aloft.dev/aloft/test/program"
)

// distribution is a wheel, as a Python package index has it.
type distribution struct {
	name, file string
	content    []byte
}

// wheel makes a wheel of a Python package of the distribution (Python Packaging User
// Guide, "Binary distribution format"). programs are the commands that it installs.
func wheel(t *testing.T, name string, programs map[string]string) distribution {
	t.Helper()
	dir := t.TempDir()
	// A machine whose packages are all installed may have no lists.
	const fetch = `cd "$0"; apt-get -q download "$1" || { apt-get -q update && apt-get -q download "$1"; }
dpkg-deb -x *.deb files`
	program.Exec(t, "sh", "-euc", fetch, dir, "python3-"+name)
	version := program.Exec(t, "sh", "-euc",
		"dpkg-deb -f \"$0\"/*.deb Version | sed 's/^[0-9]*://; s/[-+~].*//'", dir)
	modules := os.DirFS(filepath.Join(dir, "files/usr/lib/python3/dist-packages"))
	info := fmt.Sprintf("%s-%s.dist-info/", name, version)
	commands := "[console_scripts]\n"
	for command, function := range programs {
		commands += command + " = " + function + "\n"
	}
	var packed, record bytes.Buffer
	archive := zip.NewWriter(&packed)
	add := func(path string, content []byte) {
		t.Helper()
		w, err := archive.Create(path)
		if err == nil {
			_, err = w.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(content)
		text := base64.RawURLEncoding.EncodeToString(sum[:])
		_, _ = fmt.Fprintf(&record, "%s,sha256=%s,%d\n", path, text, len(content))
	}
	err := fs.WalkDir(modules, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".py") {
			return err
		}
		content, err := fs.ReadFile(modules, path)
		add(path, content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	add(info+"METADATA", fmt.Appendf(nil, "Metadata-Version: 2.1\nName: %s\nVersion: %s\n", name, version))
	add(info+"WHEEL", []byte("Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"))
	add(info+"entry_points.txt", []byte(commands))
	record.WriteString(info + "RECORD,,\n")
	add(info+"RECORD", record.Bytes())
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return distribution{name, fmt.Sprintf("%s-%s-py3-none-any.whl", name, version), packed.Bytes()}
}

// serveIndex serves a package index on loopback (Python Packaging User Guide, "Simple
// repository API"), and returns its URL.
func serveIndex(t *testing.T, distributions ...distribution) string {
	t.Helper()
	mux := http.NewServeMux()
	for _, d := range distributions {
		mux.HandleFunc("GET /simple/"+d.name+"/", func(w http.ResponseWriter, _ *http.Request) {
			const page = `<!DOCTYPE html><a href="/files/%s#sha256=%x">%[1]s</a>`
			_, _ = fmt.Fprintf(w, page, d.file, sha256.Sum256(d.content))
		})
		mux.HandleFunc("GET /files/"+d.file, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(d.content) })
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + "/simple"
}
