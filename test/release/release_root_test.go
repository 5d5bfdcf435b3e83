//go:build linux && root

package release

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/load"
	"aloft.dev/aloft/test/program"
	"aloft.dev/aloft/test/simulation"
)

// Two versions of an application: one whose /slow takes five seconds, and one that
// crashes after four. They keep idle connections for longer than the load balancer.
const (
	goodVersion = `const http = require('node:http');
const server = http.createServer((q, r) => setTimeout(() => r.end('%s'), q.url === '/slow' ? 5000 : 0));
server.keepAliveTimeout = 65000;
server.listen(process.env.PORT);
`
	crashingVersion = `setTimeout(() => { throw new Error('the pool is exhausted'); }, 4000);` + "\n" + goodVersion
)

// releasing is an application that is released under load.
type releasing struct {
	program.Program
	dir, url string
}

func (r releasing) version(t *testing.T, server, manifest string) {
	t.Helper()
	program.Write(t, filepath.Join(r.dir, "server.js"), server)
	program.Write(t, filepath.Join(r.dir, "package.json"), manifest)
}

// loaded runs a command under load and returns its exit code, its output and the
// number of failed requests by kind.
func (r releasing) loaded(t *testing.T, args ...string) (code int, said string, failed map[load.Kind]int) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	asking := load.New(load.Config{
		URL:  r.url + "/",
		Rate: 200,
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			_, port, _ := net.SplitHostPort(address)
			return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
		},
	})
	recorded := make(chan load.Recording, 1)
	go func() { recorded <- asking.Run(ctx) }()
	slow := make(chan error, 1)
	go func() { slow <- r.slowly(ctx) }()
	out, story, code := r.Run(t, args...)
	stop()
	if err := <-slow; err != nil {
		t.Errorf("a slow request: %v", err)
	}
	recording, failed := <-recorded, map[load.Kind]int{}
	for _, s := range recording.Samples {
		if s.Kind != load.OK {
			failed[s.Kind]++
		}
	}
	t.Logf("%d requests, failed: %v", len(recording.Samples), failed)
	return code, story + out, failed
}

// slowly sends requests that take five seconds, one after another, so that some are
// in flight whenever a server leaves.
func (r releasing) slowly(ctx context.Context) error {
	for ctx.Err() == nil {
		client := &http.Client{Transport: program.Browser.Transport, Timeout: 10 * time.Second}
		answer, err := client.Get(r.url + "/slow")
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusOK {
			return fmt.Errorf("%s %w", answer.Status, err)
		}
	}
	return nil
}

// TestRealReleases releases good and bad versions under load. No request fails.
func TestRealReleases(t *testing.T) {
	c := program.Start(t)
	r := releasing{Program: c.Program, dir: t.TempDir()}
	spec := program.SmallSpec("released", "debian-12", "source: .", "node server.js")
	for old, with := range map[string]string{
		"count: 1": "count: 2", "deregistration_delay: 0s": "deregistration_delay: 6s", "watch: 1s": "watch: 6s",
		"bake: 0s": "bake: 3s",
	} {
		spec = strings.Replace(spec, old, with, 1)
	}
	program.Write(t, filepath.Join(r.dir, "aloft.yaml"), spec)
	r.version(t, fmt.Sprintf(goodVersion, "v1"), "{}")
	c.Must(t, "up", r.dir)
	r.url = c.Status(t, r.dir).URL
	const failingInstall = `{"scripts": {"preinstall": "echo the compiler is missing; exit 3"}}`
	for _, release := range []struct {
		what             string
		server, manifest string
		command          string
		code             int
		says, serves     string
	}{
		{"good release", fmt.Sprintf(goodVersion, "v2"), "{}", "up", 0, "is up, and verified", "v2"},
		{"rollback", fmt.Sprintf(goodVersion, "v2"), "{}", "rollback", 0, "serves again", "v1"},
		{"crashing release", fmt.Sprintf(crashingVersion, "v3"), "{}", "up", 3, "the pool is exhausted", "v1"},
		{"release that cannot be installed", fmt.Sprintf(goodVersion, "v4"), failingInstall, "up", 3,
			"the compiler is missing", "v1"},
	} {
		r.version(t, release.server, release.manifest)
		code, said, failed := r.loaded(t, release.command, r.dir)
		if code != release.code || len(failed) > 0 {
			t.Errorf("%s: exit %d, want %d; failed requests: %v\n%s", release.what, code, release.code, failed, said)
		}
		simulation.Contains(t, said, release.says)
		if got := program.Fetch(t, r.url); got != release.serves {
			t.Errorf("%s: %s serves", release.what, got)
		}
		if now := c.Status(t, r.dir); len(now.Machines) != 2 {
			t.Errorf("%s: %+v", release.what, now.Machines)
		}
	}
	c.Must(t, "down", r.dir, "--yes", "--images")
	c.NothingTagged(t, "released")
}
