//go:build linux

package cloud

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/plane/filetree"
	"aloft.dev/aloft/internal/cloud/plane/simulated"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/reachability"
)

// errSimulated is why nothing connects to a simulated machine.
var errSimulated = errors.New("the local cloud is simulated: no machine runs and no traffic is carried")

// garbagePercent is how much memory may be garbage, in percent of what is in use. All state of
// a simulated cloud is in memory: with Go's default of 100, 10,000 instances take more than they
// may, and with less than 50, answers take longer (bench/api).
const garbagePercent = 50

// simulation is a local cloud over simulated planes. It keeps its state in memory, so that a
// reset is the end of one daemon and the start of the next behind the same address.
type simulation struct {
	Config
	current atomic.Pointer[daemon]
	resets  chan chan struct{} // from requests; closed when the next daemon serves
	ended   chan struct{}
}

func newSimulation(config Config) *simulation {
	return &simulation{Config: config, resets: make(chan chan struct{}), ended: make(chan struct{})}
}

// run serves the simulated cloud until ctx ends.
func (s *simulation) run(ctx context.Context, listener net.Listener) error {
	defer debug.SetGCPercent(debug.SetGCPercent(garbagePercent))
	group, ctx := errgroup.WithContext(ctx)
	address := listener.Addr().String()
	d, err := s.open(ctx)
	if err != nil {
		return err
	}
	group.Go(func() error { return s.generations(ctx, d, address) })
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.current.Load().onHost.ServeHTTP(w, r)
	})
	serveAPIs(ctx, group, apiServer{
		listener: listener, handler: handler, perUser: apiConnections.PerUser, log: s.Log,
	})
	if err := host.RecordDaemon(s.Layout, s.Version, address); err != nil {
		return err
	}
	s.Log.Info("the simulated local cloud is running", "address", address, "version", s.Version)
	err = group.Wait()
	if ctx.Err() != nil && errors.Is(err, context.DeadlineExceeded) {
		return nil // the shutdown cut off a slow client
	}
	return err
}

// open returns a daemon with an empty store, which serves from now on.
func (s *simulation) open(ctx context.Context) (*daemon, error) {
	folders := []string{s.Layout.LogEvents(), s.Layout.Metrics(), s.Layout.Outbox(), s.Layout.Objects()}
	for _, dir := range folders {
		if err := filetree.Remove(ctx, dir); err != nil {
			return nil, err
		}
	}
	d := &daemon{Config: s.Config, reset: s.reset}
	inMemory := func() (*store.Store, error) { return store.Open("") }
	if err := d.open(ctx, inMemory, openSimulatedPlanes); err != nil {
		return nil, errors.Join(err, d.close())
	}
	s.current.Store(d)
	return d, nil
}

// generations runs the loops of d, and after each reset those of the next daemon, until ctx
// ends.
func (s *simulation) generations(ctx context.Context, d *daemon, address string) error {
	defer close(s.ended)
	for {
		done, err := s.generation(ctx, d, address)
		if err != nil || done == nil {
			return err
		}
		if d, err = s.open(ctx); err != nil {
			return err
		}
		close(done)
	}
}

// generation runs the loops of d until ctx ends, when it returns nil, or somebody asks for a
// reset, when it returns the channel to close once that is done.
func (s *simulation) generation(ctx context.Context, d *daemon, address string) (done chan struct{}, err error) {
	group, running := errgroup.WithContext(ctx)
	running, cancel := context.WithCancel(running)
	defer cancel()
	if err = d.startLoops(running, group, address); err == nil {
		select {
		case done = <-s.resets:
		case <-running.Done():
		}
	}
	cancel()
	if problem := group.Wait(); ctx.Err() == nil && done == nil {
		err = errors.Join(err, problem)
	}
	return done, errors.Join(err, d.close())
}

// reset empties the cloud, and returns when the empty one serves.
func (s *simulation) reset(ctx context.Context) error {
	done := make(chan struct{})
	select {
	case s.resets <- done:
	case <-s.ended:
		return host.ErrNotRunning
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-done:
		return nil
	case <-s.ended:
		return host.ErrNotRunning
	}
}

// openSimulatedPlanes returns planes that touch no kernel.
func openSimulatedPlanes(context.Context, *daemon) (planes, error) {
	nothing := func(context.Context) error { return nil }
	return planes{
		layers: &simulated.Layers{}, volumes: &simulated.Volumes{}, machines: &simulated.Machines{},
		balancer: &simulated.Balancer{},
		start:    nothing, stop: nothing, close: func() error { return nil },
		dial:  func(context.Context, string, netip.AddrPort) (net.Conn, error) { return nil, errSimulated },
		probe: func(context.Context, host.ProbeRequest) (facts reachability.Facts, err error) { return facts, nil },
	}, nil
}
