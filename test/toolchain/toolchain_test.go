//go:build linux

// Package toolchain tests that a computer without a new Go gets one.
package toolchain

import (
	"archive/zip"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
)

const (
	release = "v0.0.1-go1.26.8.linux-" + runtime.GOARCH
	prefix  = "golang.org/toolchain@" + release + "/"
)

// computer is a checkout of Aloft on a computer that has what scripts/go.sh uses, but
// no Go except the one that a test gives it.
type computer struct {
	dir     string
	mirror  string // a module proxy
	fetches int    // how often the mirror was asked
}

// newComputer returns a computer whose checkout expects the toolchain in a zip file, and
// whose mirror serves another zip file.
func newComputer(t *testing.T, expected, served []byte) *computer {
	t.Helper()
	c := &computer{dir: t.TempDir()}
	mirror := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.fetches++
		if r.URL.Path != "/golang.org/toolchain/@v/"+release+".zip" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(served)
	}))
	t.Cleanup(mirror.Close)
	c.mirror = mirror.URL
	script, err := os.ReadFile("../../scripts/go.sh")
	if err != nil {
		t.Fatal(err)
	}
	// The Go of the computer that runs the test does not count.
	script = bytes.ReplaceAll(script, []byte("/usr/local/go/"), []byte(c.dir+"/usr/local/go/"))
	c.write(t, "tree/scripts/go.sh", string(script))
	c.write(t, "tree/scripts/toolchain.sum", "golang.org/toolchain "+release+" "+hash(t, expected)+"\n")
	c.write(t, "tree/go.mod", "module example\n\ngo 1.26.0\n\ntoolchain go1.26.8\n")
	for _, name := range []string{
		"awk", "base64", "chmod", "cp", "curl", "dirname", "find", "grep", "mkdir", "mktemp", "mv", "rm", "sed", "sh",
		"sha256sum", "sort", "tr", "uname", "xargs",
	} {
		c.link(t, name)
	}
	if _, err := exec.LookPath("unzip"); err == nil {
		c.link(t, "unzip")
	} else {
		c.link(t, "python3")
	}
	return c
}

func (c *computer) write(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// link makes a program of this computer one of c.
func (c *computer) link(t *testing.T, name string) {
	t.Helper()
	program, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	c.write(t, "bin/"+name, "#!/bin/sh\nexec "+program+" \"$@\"\n")
}

// script returns the command that runs scripts/go.sh.
func (c *computer) script() *exec.Cmd {
	cmd := exec.Command("/bin/sh", filepath.Join(c.dir, "tree/scripts/go.sh"))
	cmd.Env = []string{"PATH=" + c.dir + "/bin", "HOME=" + c.dir + "/home", "ALOFT_GO_MIRROR=" + c.mirror}
	return cmd
}

// findGo runs scripts/go.sh.
func (c *computer) findGo() (path, complaints string, err error) {
	cmd := c.script()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), stderr.String(), err
}

// fetched returns the folders in the cache of toolchains.
func (c *computer) fetched(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(c.dir, "home/.cache/aloft"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// files are those of a toolchain whose go command is a script.
var files = map[string]string{
	prefix + "VERSION":      "go1.26.8\n",
	prefix + "bin/go":       "#!/bin/sh\necho go version go1.26.8 linux/amd64\n",
	prefix + "pkg/tool/vet": "#!/bin/sh\n",
	prefix + "src/_go.mod":  "module std\n",
}

func zipped(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, text := range files {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// hash returns the hash of a module (golang.org/x/mod/sumdb/dirhash, Hash1).
func hash(t *testing.T, archive []byte) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(z.File, func(a, b *zip.File) int { return cmp.Compare(a.Name, b.Name) })
	list := sha256.New()
	for _, f := range z.File {
		_, _ = fmt.Fprintf(list, "%x  %s\n", sha256.Sum256([]byte(files[f.Name])), f.Name)
	}
	return "h1:" + base64.StdEncoding.EncodeToString(list.Sum(nil))
}

func TestToolchainIsFetchedOnce(t *testing.T) {
	for name, installed := range map[string]string{"no Go": "", "an old Go": "go1.19.8", "a candidate": "go1.26rc1"} {
		t.Run(name, func(t *testing.T) {
			archive := zipped(t, files)
			c := newComputer(t, archive, archive)
			if installed != "" {
				c.write(t, "bin/go", "#!/bin/sh\necho go version "+installed+" linux/amd64\n")
			}
			want := filepath.Join(c.dir, "home/.cache/aloft/go1.26.8.linux-"+runtime.GOARCH, "bin/go")
			for range 2 {
				got, complaints, err := c.findGo()
				if got != want {
					t.Fatalf("got %q, want %q; %v: %s", got, want, err, complaints)
				}
				if out, err := exec.Command(got).Output(); err != nil {
					t.Errorf("%s: %v", out, err)
				}
				if _, err := os.Stat(filepath.Join(got, "../../src/go.mod")); err != nil {
					t.Error(err)
				}
			}
			if c.fetches != 1 || len(c.fetched(t)) != 1 {
				t.Errorf("fetched %d times into %v", c.fetches, c.fetched(t))
			}
		})
	}
}

func TestInstalledGoThatIsNewEnoughIsUsed(t *testing.T) {
	for _, version := range []string{"go1.26.0", "go1.26.8", "go1.27.1-custom", "go2.0"} {
		archive := zipped(t, files)
		c := newComputer(t, archive, archive)
		c.write(t, "bin/go", "#!/bin/sh\necho go version "+version+" linux/amd64\n")
		if got, complaints, err := c.findGo(); got != c.dir+"/bin/go" || c.fetches != 0 {
			t.Errorf("%s: got %q, %v: %s", version, got, err, complaints)
		}
	}
}

func TestToolchainThatIsNotTheOfficialOneIsRefused(t *testing.T) {
	changed := maps.Clone(files)
	changed[prefix+"bin/go"] += "echo changed\n"
	more := maps.Clone(files)
	more[prefix+"pkg/tool/more"] = ""
	for name, served := range map[string][]byte{
		"a changed file": zipped(t, changed), "one more file": zipped(t, more), "no archive": []byte("<html>"),
	} {
		c := newComputer(t, zipped(t, files), served)
		got, complaints, err := c.findGo()
		if err == nil || got != "" || !strings.Contains(complaints, c.mirror) {
			t.Errorf("%s: got %q, %v: %s", name, got, err, complaints)
		}
		if left := c.fetched(t); len(left) != 0 {
			t.Errorf("%s: left %v", name, left)
		}
	}
}

func TestInterruptedFetchLeavesNothing(t *testing.T) {
	archive := zipped(t, files)
	c := newComputer(t, archive, archive)
	asked := make(chan struct{})
	stuck := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	}))
	defer stuck.Close()
	mirror := c.mirror
	c.mirror = stuck.URL
	cmd := c.script()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-asked
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil { // as Ctrl-C does
		t.Fatal(err)
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 130 {
		t.Errorf("Ctrl-C ended the script with %v", err)
	}
	if left := c.fetched(t); len(left) != 0 {
		t.Errorf("left %v", left)
	}
	c.mirror = mirror
	if got, complaints, err := c.findGo(); err != nil || got == "" {
		t.Errorf("after Ctrl-C: %v: %s", err, complaints)
	}
}

func TestEveryPlatformsToolchainIsListed(t *testing.T) {
	module, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(module), "\ntoolchain ")
	version, _, _ := strings.Cut(after, "\n")
	sums, err := os.ReadFile("../../scripts/toolchain.sum")
	if err != nil {
		t.Fatal(err)
	}
	for _, platform := range []string{"linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64"} {
		line := "golang.org/toolchain v0.0.1-" + version + "." + platform + " h1:"
		if version == "" || !strings.Contains(string(sums), line) {
			t.Errorf("scripts/toolchain.sum lists no %q: add the line of https://sum.golang.org/lookup/"+
				"golang.org/toolchain@v0.0.1-%s.%s", line, version, platform)
		}
	}
}
