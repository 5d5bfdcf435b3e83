package toolchain_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/toolchain"
)

// now is a time at which 24 is the newest line of long-term support.
var now = time.Date(2026, time.May, 1, 0, 0, 0, 0, time.UTC)

// site is a server of documents by path that counts requests.
type site struct {
	*httptest.Server
	documents map[string][]byte

	mu   sync.Mutex
	gets map[string]int
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{documents: map[string][]byte{}, gets: map[string]int{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.gets[r.URL.Path]++
		data, found := s.documents[r.URL.Path]
		if !found {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(data)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *site) json(t *testing.T, path string, value any) {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	s.documents[path] = data
}

func (s *site) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := 0
	for _, n := range s.gets {
		sum += n
	}
	return sum
}

// item is an entry of an archive.
type item struct {
	name, content string
	mode          int64
	kind          byte // 0 for a file
	link          string
}

func tarball(t *testing.T, items ...item) []byte {
	t.Helper()
	var out bytes.Buffer
	compressor := gzip.NewWriter(&out)
	writer := tar.NewWriter(compressor)
	for _, i := range items {
		header := &tar.Header{Typeflag: i.kind, Name: i.name, Mode: i.mode, Size: int64(len(i.content)),
			Linkname: i.link}
		if i.kind == 0 {
			header.Typeflag = tar.TypeReg
		}
		if err := writer.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(writer, i.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(writer.Close(), compressor.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// content returns an archive's entries: "755 text" or "-> target" by name.
func content(t *testing.T, a toolchain.Archive) map[string]string {
	t.Helper()
	data, err := os.ReadFile(a.Path)
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != a.SHA256 || int64(len(data)) != a.Size {
		t.Errorf("%s: checksum or size is not the file's: %+v", a, a)
	}
	decompressor, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	entries := map[string]string{}
	for reader := tar.NewReader(decompressor); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return entries
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag == tar.TypeSymlink {
			entries[header.Name] = "-> " + header.Linkname
		} else {
			entries[header.Name] = map[bool]string{true: "x ", false: "- "}[header.Mode&0o111 != 0] + string(text)
		}
	}
}

func integrity(data []byte) string {
	sum := sha512.Sum512(data)
	return "sha512-" + base64.StdEncoding.EncodeToString(sum[:])
}

// publish adds versions of a package to a registry, with the same archive. The last one
// is the latest.
func (s *site) publish(t *testing.T, name string, fields map[string]any, data []byte, versions ...string) {
	t.Helper()
	all := map[string]any{}
	for _, version := range versions {
		file := "/" + name + "/-/" + version + ".tgz"
		s.documents[file] = data
		v := map[string]any{"name": name, "version": version, "dist": map[string]string{
			"tarball": toolchain.DefaultRegistry + file, "integrity": integrity(data),
		}}
		for key, value := range fields {
			v[key] = value
		}
		all[version] = v
		s.json(t, "/"+name+"/"+version, v)
	}
	s.json(t, "/"+name, map[string]any{
		"versions": all, "dist-tags": map[string]string{"latest": versions[len(versions)-1]},
	})
}

// problem returns err as the only diagnostic, which must have a remedy.
func problem(t *testing.T, err error) *diag.Diagnostic {
	t.Helper()
	var d *diag.Diagnostic
	if !errors.As(err, &d) {
		t.Fatalf("got %v, want a diagnostic", err)
	}
	if d.Where == "" || d.Summary == "" || d.Hint == "" {
		t.Errorf("%+v lacks a place or a remedy", d)
	}
	return d
}

func wantContent(t *testing.T, a toolchain.Archive, want map[string]string) {
	t.Helper()
	got := content(t, a)
	for name, text := range want {
		if got[name] != text {
			t.Errorf("%s: %s is %q, want %q", a, name, got[name], text)
		}
	}
	for name := range got {
		if _, found := want[name]; !found {
			t.Errorf("%s contains %s", a, name)
		}
	}
}

// noParts checks that nothing unfinished is in a cache.
func noParts(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), ".part") {
			t.Errorf("%s is left behind", entry.Name())
		}
	}
}
