package e2e

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/resource"
	"aloft.dev/aloft/internal/spec"
)

// installer stands for the installing of an application: it counts.
type installer struct {
	release  string
	err      error // of Build
	unproven error // of Prove

	meanwhile func() // is called while it builds and proves

	mu     sync.Mutex
	builds int
	proofs int
}

func (b *installer) Release(base string) (string, error) { return b.release, nil }

func (b *installer) Build(_ context.Context, m resource.Machine, _ event.Sink) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.builds++
	if b.meanwhile != nil {
		b.meanwhile()
	}
	if len(m.HostKeys) == 0 || m.User != "admin" || !m.Address.IsValid() {
		return fmt.Errorf("machine %+v", m)
	}
	return b.err
}

func (b *installer) Prove(_ context.Context, m resource.Machine, _ event.Sink) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.proofs++
	if b.meanwhile != nil {
		b.meanwhile()
	}
	if len(m.HostKeys) == 0 || m.User != "admin" || !m.Address.IsValid() {
		return fmt.Errorf("machine %+v", m)
	}
	return b.unproven
}

func (b *installer) Examine(context.Context, resource.Machine) ([]string, error) {
	return []string{"aloft-tutorial.service: active (running)", "log: hello"}, nil
}

func (b *installer) Source() (string, error) { return "a folder of " + b.release, nil }

func (b *installer) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.builds
}

// parse reads a spec of the stack's testdata.
func parse(t *testing.T, file string) *spec.Spec {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := spec.Parse(data, "aloft.yaml", filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	s.Region = region
	s.LoadBalancer.DeregistrationDelay = 0 // nothing is in flight here
	s.Release.Bake = 0
	for i := range s.Network.Subnets {
		s.Network.Subnets[i].Zone = ""
	}
	return s
}

func tutorial(t *testing.T) *spec.Spec {
	t.Helper()
	return parse(t, "../internal/stack/testdata/tutorial.yaml")
}

// others tells of every other run that it has been killed.
func others(self apply.Holder) func(apply.Holder) bool {
	return func(h apply.Holder) bool { return h.Nonce != self.Nonce }
}

// deployment of a spec. Lines of the story go to the test's log.
func deployment(t *testing.T, client *awsapi.Client, s *spec.Spec, b *installer, keys string) *apply.Deployment {
	t.Helper()
	holder := apply.Here()
	d, err := apply.New(apply.Config{
		Spec: s, Client: client, Builder: b, KeyDir: keys, Poll: 200 * time.Millisecond,
		Events: func(e event.Event) {
			if e.Kind == event.Fail {
				t.Logf("%s %s: %s", e.Kind, e.Address, e.Message)
			}
		},
		Egress: func(context.Context, netip.Addr) (netip.Prefix, error) {
			return netip.MustParsePrefix("198.18.0.9/32"), nil
		},
		Holder: holder, Gone: others(holder),
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}
