//go:build linux && root

package mainjob

import (
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/netip"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/network"
	"aloft.dev/aloft/test/program"
)

// internet is a host outside of every VPC, in its own namespace. It serves git
// repositories over HTTP: /open/ to anyone, /closed/ with a password.
type internet struct {
	address  netip.Addr
	root     string
	password string
	requests atomic.Int64 // with the right password
}

func newInternet(t *testing.T) *internet {
	t.Helper()
	const namespace, near, far = "test-internet", "test-inet-host", "test-inet-far"
	i := &internet{address: netip.MustParseAddr("203.0.113.9"), root: t.TempDir(), password: "b3f2-9c1e-a77d"}
	program.Exec(t, "ip", "netns", "add", namespace)
	t.Cleanup(func() { program.Exec(t, "ip", "netns", "del", namespace) }) // deletes the veth pair too
	program.Exec(t, "ip", "link", "add", near, "type", "veth", "peer", "name", far, "netns", namespace)
	program.Exec(t, "ip", "addr", "add", "203.0.113.1/24", "dev", near)
	program.Exec(t, "ip", "link", "set", near, "up")
	program.Exec(t, "ip", "-n", namespace, "addr", "add", i.address.String()+"/24", "dev", far)
	program.Exec(t, "ip", "-n", namespace, "link", "set", far, "up")
	listener, err := network.ListenIn("/run/netns/"+namespace, netip.AddrPortFrom(i.address, 80))
	if err != nil {
		t.Fatal(err)
	}
	backend := &cgi.Handler{
		Path: filepath.Join(program.Exec(t, "git", "--exec-path"), "git-http-backend"),
		Env: []string{
			"GIT_PROJECT_ROOT=" + i.root,
			"GIT_HTTP_EXPORT_ALL=1",
			"GIT_CONFIG_COUNT=1",
			"GIT_CONFIG_KEY_0=safe.directory",
			"GIT_CONFIG_VALUE_0=*",
		},
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/closed/") {
			if _, password, _ := r.BasicAuth(); password != i.password {
				w.Header().Set("WWW-Authenticate", `Basic realm="closed"`)
				http.Error(w, "who are you?", http.StatusUnauthorized)
				return
			}
			i.requests.Add(1)
		}
		backend.ServeHTTP(w, r)
	})}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		_ = <-served
	})
	return i
}

func (i *internet) url(name string) string { return fmt.Sprintf("http://%s/%s", i.address, name) }

// push commits files to a repository and returns the commit's id.
func (i *internet) push(t *testing.T, name string, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(i.root, name)
	program.Exec(t, "git", "init", "-q", "-b", "main", dir)
	for file, text := range files {
		program.Write(t, filepath.Join(dir, file), text)
	}
	program.Exec(t, "git", "-C", dir, "add", "-A")
	program.Exec(
		t, "git", "-C", dir, "-c", "user.name=n", "-c", "user.email=n@example.com", "commit", "-q", "-m", "as it is",
	)
	return program.Exec(t, "git", "-C", dir, "rev-parse", "HEAD")
}
