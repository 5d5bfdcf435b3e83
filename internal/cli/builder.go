package cli

import (
	"context"
	"net"
	"sync"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/release"
	"aloft.dev/aloft/internal/resource"
	"aloft.dev/aloft/internal/spec"
)

// builder builds the releases of one spec, all from the same state of its source.
type builder struct {
	spec   *spec.Spec
	source func() (release.Source, error) // resolved at the first call
}

func newBuilder(ctx context.Context, s *spec.Spec) apply.Builder {
	return builder{spec: s, source: sync.OnceValues(func() (release.Source, error) { return release.Resolve(ctx, s) })}
}

// Release returns the name of what Build makes of a base image.
func (b builder) Release(baseImageID string) (string, error) {
	source, err := b.source()
	if err != nil {
		return "", err
	}
	return release.ID(baseImageID, b.spec, source), nil
}

// Build installs the application on a machine.
func (b builder) Build(ctx context.Context, m resource.Machine, events event.Sink) error {
	source, err := b.source()
	if err != nil {
		return err
	}
	return release.Build(ctx, sshTarget(m), b.spec, source, events)
}

// Prove proves that the application serves on a machine started from the release's
// image.
func (b builder) Prove(ctx context.Context, m resource.Machine, events event.Sink) error {
	return release.Prove(ctx, sshTarget(m), b.spec, events)
}

// Examine returns the state of the application's service on a machine.
func (b builder) Examine(ctx context.Context, m resource.Machine) ([]string, error) {
	return release.Examine(ctx, sshTarget(m), b.spec.App)
}

// Source returns a description of the source.
func (b builder) Source() (string, error) {
	source, err := b.source()
	if err != nil {
		return "", err
	}
	return source.Describe(b.spec.Source.Ref), nil
}

func sshTarget(m resource.Machine) release.Target {
	return release.Target{
		Name:     m.Name,
		Address:  net.JoinHostPort(m.Address.String(), "22"),
		User:     m.User,
		KeyPath:  m.KeyFile,
		HostKeys: m.HostKeys,
	}
}
