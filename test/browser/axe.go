//go:build linux

package browser

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The release of axe-core that judges pages, and the checksum that the registry publishes of it.
const (
	axeVersion   = "4.14.1"
	axeIntegrity = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
)

// Axe is the source of axe-core, which finds what people with disabilities cannot use.
type Axe string

// FetchAxe returns axe-core from the npm registry, or from the cache of an earlier test. Without
// either the test fails: pages that nobody has judged are not accessible.
func FetchAxe(t *testing.T) Axe {
	t.Helper()
	name := "axe-core-" + axeVersion + ".tgz"
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(cache, "aloft", name)
	data, err := os.ReadFile(file)
	if err != nil || !isAxe(data) {
		registry := cmp.Or(os.Getenv("npm_config_registry"), "https://registry.npmjs.org")
		url := strings.TrimSuffix(registry, "/") + "/axe-core/-/" + name
		if data, err = download(t.Context(), url); err != nil {
			t.Fatalf("axe-core judges the pages, and cannot be fetched: %v\n"+
				"npm_config_registry names another registry than npm's", err)
		}
		if !isAxe(data) {
			t.Fatalf("%s is not axe-core %s: its checksum differs", url, axeVersion)
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	source, err := unpack(data, "package/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	return Axe(source)
}

func isAxe(data []byte) bool {
	sum := sha512.Sum512(data)
	return base64.StdEncoding.EncodeToString(sum[:]) == axeIntegrity
}

// fetchTimeout limits a download.
const fetchTimeout = time.Minute

// maxPackage is the size of the largest package.
const maxPackage = 32 << 20

func download(ctx context.Context, url string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, maxPackage))
}

// unpack returns a file of a package.
func unpack(data []byte, name string) ([]byte, error) {
	zipped, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	for files := tar.NewReader(zipped); ; {
		header, err := files.Next()
		if err != nil {
			return nil, fmt.Errorf("look for %s: %w", name, err)
		}
		if header.Name == name {
			return io.ReadAll(files)
		}
	}
}

// Violations returns what axe-core objects to in the page, a line each.
func (b *Tab) Violations(t *testing.T, axe Axe) []string {
	t.Helper()
	if b.Eval(t, "typeof axe") == "undefined" {
		b.Eval(t, string(axe)+";0")
	}
	text := b.Eval(t, `axe.run(document).then((r) => JSON.stringify(r.violations.map((v) =>
		v.id + " (" + v.impact + "): " + v.help + ": " +
		v.nodes.map((n) => n.html + " – " + n.failureSummary).join("; "))))`)
	var found []string
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return found
}
