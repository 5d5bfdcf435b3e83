package simulation

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
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/lease"
	"aloft.dev/aloft/internal/resource"
	"aloft.dev/aloft/internal/spec"
)

// Builder stands for the installing of an application: it counts.
type Builder struct {
	ReleaseName string
	BuildErr    error // of Build
	ProveErr    error // of Prove

	During func() // is called while it builds and proves

	mu     sync.Mutex
	builds int
	proofs int
}

func (b *Builder) Release(base string) (string, error) { return b.ReleaseName, nil }

func (b *Builder) Build(_ context.Context, m resource.Machine, _ event.Sink) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.builds++
	if b.During != nil {
		b.During()
	}
	if len(m.HostKeys) == 0 || m.User != "admin" || !m.Address.IsValid() {
		return fmt.Errorf("machine %+v", m)
	}
	return b.BuildErr
}

func (b *Builder) Prove(_ context.Context, m resource.Machine, _ event.Sink) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.proofs++
	if b.During != nil {
		b.During()
	}
	if len(m.HostKeys) == 0 || m.User != "admin" || !m.Address.IsValid() {
		return fmt.Errorf("machine %+v", m)
	}
	return b.ProveErr
}

func (b *Builder) Examine(context.Context, resource.Machine) ([]string, error) {
	return []string{"aloft-tutorial.service: active (running)", "log: hello"}, nil
}

func (b *Builder) Source() (string, error) { return "a folder of " + b.ReleaseName, nil }

// Builds returns how many times the application was built.
func (b *Builder) Builds() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.builds
}

// Proofs returns how many candidates were tested.
func (b *Builder) Proofs() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.proofs
}

// ParseSpec reads a spec of the stack's testdata.
func ParseSpec(t *testing.T, file string) *spec.Spec {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := spec.Parse(data, "aloft.yaml", filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	s.Region = Region
	s.LoadBalancer.DeregistrationDelay = 0 // nothing is in flight here
	s.Release.Bake = 0
	for i := range s.Network.Subnets {
		s.Network.Subnets[i].Zone = ""
	}
	return s
}

func Tutorial(t *testing.T) *spec.Spec {
	t.Helper()
	return ParseSpec(t, "../../internal/stack/testdata/tutorial.yaml")
}

// OthersGone tells of every other run that it has been killed.
func OthersGone(self lease.Holder) func(lease.Holder) bool {
	return func(h lease.Holder) bool { return h.Nonce != self.Nonce }
}

// Deployment of a spec. Lines of the story go to the test's log.
func Deployment(t *testing.T, client *awsapi.Client, s *spec.Spec, b *Builder, keys string) *apply.Deployment {
	t.Helper()
	holder := lease.Self()
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
		Holder: holder, Dead: OthersGone(holder),
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func Up(t *testing.T, d *apply.Deployment) *apply.Status {
	t.Helper()
	status, err := d.Up(t.Context())
	if err != nil {
		for _, problem := range diag.From(err) {
			t.Errorf("%s: %s\n%s\n%s", problem.Where, problem.Summary, problem.Detail, problem.Hint)
		}
		t.FailNow()
	}
	return status
}

func PlanIsEmpty(t *testing.T, d *apply.Deployment) {
	t.Helper()
	p, err := d.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !p.Empty() {
		t.Fatalf("a plan right after up is not empty:\n%s", p)
	}
}

func InstanceIDs(s *apply.Status) map[string]string {
	all := map[string]string{}
	for _, m := range s.Machines {
		all[m.Name] = m.InstanceID
	}
	return all
}

func RunUp(ctx context.Context, d *apply.Deployment) error {
	_, err := d.Up(ctx)
	return err
}

const ScalingSpec = "../../internal/stack/testdata/scaling.yaml"

func ScalingTutorial(t *testing.T) *spec.Spec { return ParseSpec(t, ScalingSpec) }
