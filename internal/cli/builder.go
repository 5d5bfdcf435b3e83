package cli

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/release"
	"aloft.dev/aloft/internal/remote"
	"aloft.dev/aloft/internal/resource"
	"aloft.dev/aloft/internal/source"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/toolchain"
)

// builder builds the releases of one spec, all from the same state of its source.
type builder struct {
	spec *spec.Spec
	of   func() (*release.Builder, error) // resolves the source at the first call
}

func newBuilder(ctx context.Context, s *spec.Spec) apply.Builder {
	return builder{spec: s, of: sync.OnceValues(func() (*release.Builder, error) { return openBuilder(ctx, s) })}
}

// openBuilder resolves the source.
func openBuilder(ctx context.Context, s *spec.Spec) (*release.Builder, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, diag.List{{
			Where: "sources and toolchains", Summary: "there is no folder to keep them in", Detail: err.Error(),
			Hint: "set XDG_CACHE_HOME to a folder of your own", Cause: err,
		}}
	}
	cache = filepath.Join(cache, "aloft")
	from, err := source.Resolve(ctx, s, cache)
	if err != nil {
		return nil, err
	}
	places := mirrors(s.Mirrors, os.Getenv, os.ReadFile)
	return &release.Builder{
		Spec: s, Source: from,
		Toolchain: &toolchain.Fetcher{
			Cache: filepath.Join(cache, "toolchains"), NodeMirror: places.Node, Registry: places.NPM,
			GoProxy: places.Go, GoSumDB: os.Getenv("GOSUMDB"), Now: time.Now(),
		},
		Mirrors: release.Mirrors{NPM: places.NPM, Python: places.Python, Go: places.Go},
	}, nil
}

// Release returns the name of what Build makes of a base image.
func (b builder) Release(baseImageID string) (string, error) {
	of, err := b.of()
	if err != nil {
		return "", err
	}
	return of.ID(baseImageID), nil
}

// Build installs the application on a machine.
func (b builder) Build(ctx context.Context, m resource.Machine, events event.Sink) error {
	of, err := b.of()
	if err != nil {
		return err
	}
	return of.Build(ctx, sshTarget(m), events)
}

// Prove proves that the application serves on a machine started from the release's
// image.
func (b builder) Prove(ctx context.Context, m resource.Machine, events event.Sink) error {
	of, err := b.of()
	if err != nil {
		return err
	}
	return of.Prove(ctx, sshTarget(m), events)
}

// AwaitIdle waits until the application on a server has no requests in flight.
func (b builder) AwaitIdle(ctx context.Context, m resource.Machine) error {
	return release.AwaitIdle(ctx, sshTarget(m), b.spec.Port)
}

// Refresh restarts the application on a server with its new environment. It does not resolve
// the source, which may be out of reach.
func (b builder) Refresh(ctx context.Context, m resource.Machine, events event.Sink) error {
	return (&release.Builder{Spec: b.spec}).Refresh(ctx, sshTarget(m), events)
}

// Examine returns the state of the application's service on a machine.
func (b builder) Examine(ctx context.Context, m resource.Machine) ([]string, error) {
	return release.Examine(ctx, sshTarget(m), b.spec.Program())
}

// Source returns a description of the source.
func (b builder) Source() (string, error) {
	of, err := b.of()
	if err != nil {
		return "", err
	}
	return of.Source.Describe(b.spec.Source.Ref), nil
}

// Runtime names the runtime that the source asks for.
func (b builder) Runtime() (string, error) {
	of, err := b.of()
	if err != nil {
		return "", err
	}
	return of.Runtime(), nil
}

func sshTarget(m resource.Machine) remote.Target {
	return remote.Target{
		Name:     m.Name,
		Address:  net.JoinHostPort(m.Address.String(), "22"),
		User:     m.User,
		KeyPath:  m.KeyFile,
		Signer:   m.Signer,
		Way:      m.Way,
		HostKeys: m.HostKeys,
	}
}
