//go:build root

package e2e

import (
	"context"
	"net"
	"testing"
	"time"

	"aloft.dev/aloft/internal/load"
)

// TestRealScaling takes the tutorial through all that changes the number and the
// kind of its servers, on real machines, at 300 requests a second: a group grows
// and shrinks, becomes fixed servers and a group again. No request fails, and
// nothing is left in the end.
func TestRealScaling(t *testing.T) {
	p, before := newProgram(t), kernelObjects(t)
	lendImages(t, p.state)
	t.Cleanup(func() {
		p.must(t, "local", "reset", "--yes")
		if left := added(before, kernelObjects(t)); left != "" {
			t.Errorf("left behind:\n%s", left)
		}
	})
	p.must(t, "local", "start", "--address", localAddress)
	group, fixed := withSpec(t, "scaling: {min: 3, max: 6}"), withSpec(t, "machines: {count: 3}")
	p.must(t, "up", group)
	url := p.status(t, group).URL
	stop := p.underLoad(t, url)
	for _, step := range []struct {
		name    string
		args    []string
		servers int
	}{
		{"the group grows", []string{"scale", "6", group}, 6},
		{"the group shrinks", []string{"scale", "3", group}, 3},
		{"the group becomes servers", []string{"up", fixed}, 3},
		{"the servers become a group", []string{"up", group}, 3},
	} {
		t.Run(step.name, func(t *testing.T) {
			p.must(t, step.args...)
			is := p.status(t, group)
			zones := map[string]bool{}
			for _, m := range is.Machines {
				if m.Health == "healthy" {
					zones[m.Zone] = true
				}
			}
			if len(zones) != 3 || len(is.Machines) != step.servers || is.URL != url {
				t.Errorf("%+v", is)
			}
		})
	}
	stop()
	p.must(t, "verify", group)
	p.must(t, "down", group, "--images", "--yes")
}

// underLoad asks the application 300 times a second until its stop is called:
// every request has to be answered.
func (p program) underLoad(t *testing.T, url string) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	asking := load.New(
		load.Config{URL: url, Rate: 300, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			_, port, _ := net.SplitHostPort(address)
			return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
		}},
	)
	recorded := make(chan load.Recording, 1)
	began := time.Now()
	go func() { recorded <- asking.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		r := <-recorded
		failed := map[load.Kind]int{}
		for _, s := range r.Samples {
			if s.Kind != load.OK {
				failed[s.Kind]++
				t.Logf("%v after the start: %s", s.At, s.Kind)
			}
		}
		t.Logf("%d requests in %s, %d failed", len(r.Samples), time.Since(began).Round(time.Second), len(failed))
		if len(failed) > 0 || len(r.Samples) < 3000 {
			t.Errorf("%v of %d requests failed", failed, len(r.Samples))
		}
	}
}
