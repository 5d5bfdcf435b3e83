package toolchain_test

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/sumdb/note"

	"aloft.dev/aloft/internal/toolchain"
)

func goZip(t *testing.T, version string) []byte {
	t.Helper()
	var out bytes.Buffer
	writer := zip.NewWriter(&out)
	for _, file := range [][2]string{
		{"bin/go", "go " + version}, {"pkg/tool/linux_amd64/compile", "compile"}, {"src/fmt/print.go", "package fmt"},
		{"src/fmt/fmt_test.go", "package fmt"}, {"src/cmd/go/main.go", "package main"}, {"VERSION", version},
		{"test/a.go", "package a"}, {"src/fmt/testdata/x", "x"}, {"go.env", ""},
	} {
		w, err := writer.Create("golang.org/toolchain@v0.0.1-go" + version + ".linux-amd64/" + file[0])
		if err == nil {
			_, err = w.Write([]byte(file[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func hashZip(t *testing.T, data []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "a.zip")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	hash, err := dirhash.HashZip(name, dirhash.Hash1)
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

// newProxy is a module proxy, and newSumDB the value of GOSUMDB for a database of the
// proxy's toolchains.
func newProxy(t *testing.T) *site {
	t.Helper()
	proxy := newSite(t)
	var list strings.Builder
	for _, version := range []string{"1.21.0", "1.24.11", "1.25.0", "1.25.3", "1.25.10", "1.26rc1"} {
		for _, system := range []string{"linux-amd64", "linux-arm64", "darwin-arm64"} {
			fmt.Fprintf(&list, "v0.0.1-go%s.%s\n", version, system)
		}
		proxy.documents["/golang.org/toolchain/@v/v0.0.1-go"+version+".linux-amd64.zip"] = goZip(t, version)
	}
	proxy.documents["/golang.org/toolchain/@v/list"] = []byte(list.String())
	return proxy
}

func newSumDB(t *testing.T, proxy *site) string {
	t.Helper()
	private, public, err := note.GenerateKey(rand.Reader, "sum.example.com")
	if err != nil {
		t.Fatal(err)
	}
	hashes := map[string]string{}
	for path, data := range proxy.documents {
		if version, ok := strings.CutSuffix(filepath.Base(path), ".zip"); ok {
			hashes[version] = hashZip(t, data)
		}
	}
	handler := sumdb.NewServer(sumdb.NewTestServer(private, func(path, version string) ([]byte, error) {
		return fmt.Appendf(nil, "%s %s %s\n", path, version, hashes[version]), nil
	}))
	mux := http.NewServeMux()
	for _, path := range sumdb.ServerPaths {
		mux.Handle(path, handler)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return public + " " + server.URL
}

func TestGoIsTheVersionThatGoModAsksFor(t *testing.T) {
	proxy := newProxy(t)
	f := &toolchain.Fetcher{Cache: t.TempDir(), GoProxy: proxy.URL + ",direct", GoSumDB: newSumDB(t, proxy)}
	for wanted, want := range map[string]string{
		"1.25": "1.25.10", "1.25.0": "1.25.10", "1.25.3": "1.25.3", "go1.25.3": "1.25.3", "1.24": "1.24.11",
		"": "1.25.10", "1.16": "1.25.10",
	} {
		if a, err := f.Go(t.Context(), wanted, "x86_64"); err != nil || a.Version != want || a.Name != "go" {
			t.Errorf("%q: got %v %v, want %s", wanted, a, err, want)
		}
	}
	a, err := f.Go(t.Context(), "1.25.3", "amd64")
	if err != nil {
		t.Fatal(err)
	}
	wantContent(t, a, map[string]string{
		"bin/go": "x go 1.25.3", "pkg/tool/linux_amd64/compile": "x compile", "src/fmt/print.go": "- package fmt",
		"VERSION": "- 1.25.3", "go.env": "- ",
	})
	for wanted, summary := range map[string]string{
		"1.99": "no release is 1.99.0; the newest is 1.25.10", "1.25.99": "no release is 1.25.99",
		"new": "no released version",
	} {
		_, err := f.Go(t.Context(), wanted, "amd64")
		if d := problem(t, err); !strings.Contains(d.Summary, summary) {
			t.Errorf("%q: %+v", wanted, d)
		}
	}
}

func TestGoIsVerifiedWithTheChecksumDatabase(t *testing.T) {
	proxy := newProxy(t)
	database := newSumDB(t, proxy)
	changed := &toolchain.Fetcher{Cache: t.TempDir(), GoProxy: proxy.URL, GoSumDB: database}
	proxy.documents["/golang.org/toolchain/@v/v0.0.1-go1.25.3.linux-amd64.zip"] =
		bytes.ReplaceAll(goZip(t, "1.25.10"), []byte("1.25.10"), []byte("1.25.3x"))
	_, err := changed.Go(t.Context(), "1.25.3", "amd64")
	if d := problem(t, err); !strings.Contains(d.Summary, "hash differs") {
		t.Errorf("%+v", d)
	}
	_, other, err := note.GenerateKey(rand.Reader, "sum.example.com")
	if err != nil {
		t.Fatal(err)
	}
	_, url, _ := strings.Cut(database, " ")
	forged := &toolchain.Fetcher{Cache: t.TempDir(), GoProxy: proxy.URL, GoSumDB: other + " " + url}
	if a, err := forged.Go(t.Context(), "1.25.10", "amd64"); err == nil {
		t.Errorf("a database with another key is believed: %v", a)
	}
	off := &toolchain.Fetcher{Cache: t.TempDir(), GoProxy: proxy.URL, GoSumDB: toolchain.SumDBOff}
	if _, err := off.Go(t.Context(), "1.25.10", "amd64"); err != nil {
		t.Errorf("without a database: %v", err)
	}
	for _, value := range []string{"off", "direct"} {
		none := &toolchain.Fetcher{Cache: t.TempDir(), GoProxy: value}
		_, err := none.Go(t.Context(), "1.25", "amd64")
		if d := problem(t, err); !strings.Contains(d.Summary, "no module proxy") {
			t.Errorf("%+v", d)
		}
	}
}
