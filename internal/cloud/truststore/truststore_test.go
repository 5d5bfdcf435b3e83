//go:build linux

package truststore

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// host is a filesystem in a folder, whose programs record their calls.
type host struct {
	Stores
	t     *testing.T
	calls []string
	fail  map[string]error // by program
	nss   map[string]string
}

func newHost(t *testing.T, folder string) *host {
	t.Helper()
	h := &host{t: t, fail: map[string]error{}, nss: map[string]string{}}
	h.Stores = Stores{Name: "aloft-local-cloud", Root: t.TempDir(), Run: h.run}
	if err := os.MkdirAll(filepath.Join(h.Root, folder), 0o755); err != nil {
		t.Fatal(err)
	}
	return h
}

// run records a call, and keeps certificates as certutil does.
func (h *host) run(_ context.Context, _ *User, name string, args ...string) ([]byte, error) {
	h.calls = append(h.calls, name+" "+strings.Join(args, " "))
	if err := h.fail[name]; err != nil {
		return nil, err
	}
	if name != certutil {
		return nil, nil
	}
	switch db := args[1]; args[2] {
	case "-L":
		if h.nss[db] == "" {
			return nil, errors.New("not found")
		}
		return []byte(h.nss[db]), nil
	case "-D":
		delete(h.nss, db)
	case "-A":
		text, err := os.ReadFile(args[len(args)-1])
		h.nss[db] = strings.ReplaceAll(string(text), "\n", "\r\n")
		return nil, err
	}
	return nil, nil
}

// browser gives the user a browser's database.
func (h *host) browser(dir string) string {
	h.t.Helper()
	h.User = &User{Name: "ann", Home: filepath.Join(h.Root, "home/ann")}
	path := filepath.Join(h.User.Home, dir, "cert9.db")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		h.t.Fatal(err)
	}
	return "sql:" + filepath.Dir(path)
}

func (h *host) install(certificate string) []Result {
	h.t.Helper()
	h.calls = nil
	results, err := h.Install(h.t.Context(), []byte(certificate))
	if err != nil {
		h.t.Fatal(err)
	}
	return results
}

func TestTheSystemsStoreIsUpdatedOnce(t *testing.T) {
	for folder, want := range map[string]string{
		"usr/local/share/ca-certificates":          "update-ca-certificates ",
		"etc/pki/ca-trust/source/anchors":          "update-ca-trust extract",
		"usr/share/pki/trust/anchors":              "update-ca-certificates ",
		"etc/ca-certificates/trust-source/anchors": "trust extract-compat",
	} {
		h := newHost(t, folder)
		if results := h.install("A\n"); !results[0].Changed || strings.Join(h.calls, "|") != want {
			t.Errorf("%s: got %+v by %q, want %q", folder, results, h.calls, want)
		}
		if results := h.install("A\n"); results[0].Changed || len(h.calls) > 0 || !h.Installed() {
			t.Errorf("%s again: got %+v by %q", folder, results, h.calls)
		}
		if results := h.install("B\n"); !results[0].Changed {
			t.Errorf("%s with another certificate: got %+v", folder, results)
		}
		results, err := h.Remove(t.Context())
		if err != nil || !results[0].Changed || h.Installed() {
			t.Errorf("%s: removal: %+v, %v", folder, results, err)
		}
		if results, err = h.Remove(t.Context()); err != nil || results[0].Changed {
			t.Errorf("%s: second removal: %+v, %v", folder, results, err)
		}
	}
}

func TestAFailedUpdateIsTriedAgain(t *testing.T) {
	h := newHost(t, "usr/local/share/ca-certificates")
	h.fail["update-ca-certificates"] = errors.New("exit status 1")
	if _, err := h.Install(t.Context(), []byte("A\n")); err == nil || h.Installed() {
		t.Errorf("got %v, installed: %v", err, h.Installed())
	}
	delete(h.fail, "update-ca-certificates")
	if results := h.install("A\n"); !results[0].Changed {
		t.Errorf("got %+v", results)
	}
}

func TestBrowsersTrustTheCertificate(t *testing.T) {
	h := newHost(t, "usr/local/share/ca-certificates")
	chromium, firefox := h.browser(".pki/nssdb"), h.browser(".mozilla/firefox/x.default")
	if results := h.install("A\n"); len(results) != 3 || !results[1].Changed || !results[2].Changed ||
		!strings.HasPrefix(results[1].Store, "Chromium's store of ann (") {
		t.Errorf("got %+v", results)
	}
	if results := h.install("A\n"); results[1].Changed || results[2].Changed {
		t.Errorf("again: got %+v", results)
	}
	if h.install("B\n"); h.nss[chromium] != "B\r\n" || h.nss[firefox] != "B\r\n" {
		t.Errorf("another certificate: got %q", h.nss)
	}
	if _, err := h.Remove(t.Context()); err != nil || len(h.nss) > 0 {
		t.Errorf("removal: %v, %q", err, h.nss)
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	h := newHost(t, "usr/local/share/ca-certificates")
	h.User = &User{Name: "ann", Home: filepath.Join(h.Root, "home/ann")}
	if results := h.install("A\n"); !strings.Contains(results[1].Note, "no browser has a store yet") {
		t.Errorf("got %+v", results)
	}
	h.browser(".pki/nssdb")
	h.fail[certutil] = exec.ErrNotFound
	if results := h.install("A\n"); !strings.Contains(results[1].Note, "libnss3-tools") {
		t.Errorf("got %+v", results)
	}
	if _, err := newHost(t, "elsewhere").Install(t.Context(), nil); err == nil {
		t.Error("an unknown system is no error")
	}
}
