//go:build linux

package simulation

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
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

// Builder takes the place of the installation of an application. It counts its
// calls and fails on request.
type Builder struct {
	ReleaseName string
	SourceErr   error // returned by what reads the source
	BuildErr    error // returned by Build
	ProveErr    error // returned by Prove

	OnBase bool // the release's name ends with the base image

	During func() // called during Build, Prove and Refresh

	RefreshErr error                     // returned by Refresh
	OnRefresh  func(server string) error // called by Refresh; nil: nothing

	Idle bool // deregistered servers have no requests in flight

	BuildTime, ProofTime time.Duration // how long Build and Prove take

	mu     sync.Mutex
	builds int
	proofs int

	refreshed []string // servers, in order
}

// Release implements apply.Builder.
func (b *Builder) Release(base string) (string, error) {
	if b.OnBase {
		return b.ReleaseName + "-" + base, b.SourceErr
	}
	return b.ReleaseName, b.SourceErr
}

// Build implements apply.Builder.
func (b *Builder) Build(ctx context.Context, m resource.Machine, _ event.Sink) error {
	if err := awsapi.Sleep(ctx, b.BuildTime); err != nil {
		return err
	}
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

// Prove implements apply.Builder.
func (b *Builder) Prove(ctx context.Context, m resource.Machine, _ event.Sink) error {
	if err := awsapi.Sleep(ctx, b.ProofTime); err != nil {
		return err
	}
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

// AwaitIdle implements apply.Builder. Servers have requests until their deregistration ends.
func (b *Builder) AwaitIdle(ctx context.Context, _ resource.Machine) error {
	if b.Idle {
		return nil
	}
	<-ctx.Done()
	return context.Cause(ctx)
}

// Refresh implements apply.Builder.
func (b *Builder) Refresh(_ context.Context, m resource.Machine, _ event.Sink) error {
	b.mu.Lock()
	b.refreshed = append(b.refreshed, m.Name)
	during, failure := b.During, b.RefreshErr
	b.mu.Unlock()
	if during != nil {
		during()
	}
	if len(m.HostKeys) == 0 || m.User != "admin" || !m.Address.IsValid() {
		return fmt.Errorf("machine %+v", m)
	}
	if b.OnRefresh != nil {
		if err := b.OnRefresh(m.Name); err != nil {
			return err
		}
	}
	return failure
}

// Refreshed returns the servers that were refreshed, in order.
func (b *Builder) Refreshed() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.refreshed)
}

// Examine implements apply.Builder.
func (b *Builder) Examine(context.Context, resource.Machine) ([]string, error) {
	return []string{"aloft-tutorial.service: active (running)", "log: hello"}, nil
}

// Source implements apply.Builder.
func (b *Builder) Source() (string, error) { return "a folder of " + b.ReleaseName, b.SourceErr }

// Runtime returns what every release of the simulated application runs on.
func (b *Builder) Runtime() (string, error) { return "Node.js 24", b.SourceErr }

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

// ParseSpec reads a spec and removes its waits, which have no purpose without
// traffic.
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
	s.LoadBalancer.DeregistrationDelay = 0 // no request is in flight
	s.Release.Bake = 0
	for i := range s.Network.Subnets {
		s.Network.Subnets[i].Zone = ""
	}
	return s
}

// Tutorial returns the spec of the tutorial: three fixed servers.
func Tutorial(t *testing.T) *spec.Spec {
	t.Helper()
	return ParseSpec(t, "../../internal/stack/testdata/tutorial.yaml")
}

// OthersGone returns a function that reports every run but self as dead.
func OthersGone(self lease.Holder) func(lease.Holder) bool {
	return func(h lease.Holder) bool { return h.Nonce != self.Nonce }
}

// accept returns a connection to a machine on which an SSH server greets.
func accept(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	go func() { // ends when the greeting is read, or the connection is closed
		_, _ = theirs.Write([]byte("SSH-2.0-simulated\r\n"))
		_ = theirs.Close()
	}()
	return ours, nil
}

// Deployment returns a deployment of a spec. Failures go to the test's log.
func Deployment(
	t *testing.T, client *awsapi.Client, s *spec.Spec, b *Builder, keys string, options ...func(*apply.Config),
) *apply.Deployment {
	t.Helper()
	holder := lease.Self()
	config := apply.Config{
		Spec: s, Client: client, Builder: b, KeyDir: keys, Poll: 200 * time.Millisecond, Dial: accept,
		Events: func(e event.Event) {
			if e.Kind == event.Fail {
				t.Logf("%s %s: %s", e.Kind, e.Address, e.Message)
			}
		},
		SourceAddress: func(context.Context, netip.Addr) ([]netip.Prefix, error) {
			return []netip.Prefix{netip.MustParsePrefix("198.18.0.9/32")}, nil
		},
		Holder: holder, Dead: OthersGone(holder),
	}
	for _, set := range options {
		set(&config)
	}
	d, err := apply.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Up brings the application up and fails the test if that fails.
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

// PlanIsEmpty checks that a plan has nothing to do.
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

// InstanceIDs returns the servers' instance ids by server name.
func InstanceIDs(s *apply.Status) map[string]string {
	all := map[string]string{}
	for _, m := range s.Machines {
		all[m.Name] = m.InstanceID
	}
	return all
}

// RunUp brings the application up and returns the error.
func RunUp(ctx context.Context, d *apply.Deployment) error {
	_, err := d.Up(ctx)
	return err
}

// ScalingSpec is the file that ScalingTutorial reads.
const ScalingSpec = "../../internal/stack/testdata/scaling.yaml"

// ScalingTutorial returns the spec of the tutorial with an Auto Scaling group.
func ScalingTutorial(t *testing.T) *spec.Spec { return ParseSpec(t, ScalingSpec) }

// PrivateSpec is the file that PrivateTutorial reads.
const PrivateSpec = "../../internal/stack/testdata/private-tutorial.yaml"

// PrivateTutorial returns the spec of the tutorial with servers in private subnets behind
// one NAT gateway.
func PrivateTutorial(t *testing.T) *spec.Spec { return ParseSpec(t, PrivateSpec) }
