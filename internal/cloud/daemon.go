// Package cloud is the local cloud in one piece: the AWS APIs on loopback, the
// store behind them, the loops that make its wishes true and the planes that
// touch the kernel.
package cloud

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/cloud/control/alarms"
	"aloft.dev/aloft/internal/cloud/control/balancers"
	"aloft.dev/aloft/internal/cloud/control/images"
	"aloft.dev/aloft/internal/cloud/control/instances"
	"aloft.dev/aloft/internal/cloud/control/metrics"
	"aloft.dev/aloft/internal/cloud/control/networks"
	"aloft.dev/aloft/internal/cloud/control/scaling"
	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/dns"
	"aloft.dev/aloft/internal/cloud/plane/image"
	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/plane/metadata"
	"aloft.dev/aloft/internal/cloud/plane/network"
	"aloft.dev/aloft/internal/cloud/scaling/capacity"
	"aloft.dev/aloft/internal/cloud/store"
)

// Config says what a local cloud is made of.
type Config struct {
	Place                Place
	Address              string // of the APIs, on loopback
	Version              string
	AcceptAnyCredentials bool
	HostEnv              map[string]string                 // proxy and trust settings that machines inherit
	Part                 func(name string) (argv []string) // the command line that runs a part of this program: "machine", "balancer"
	Log                  *slog.Logger
}

// ErrLeave is the cause of a context whose end leaves machines, networks and
// load balancers running.
var ErrLeave = errors.New("leave the data plane running")

// daemon is a running local cloud.
type daemon struct {
	Config
	store     *store.Store
	layers    *image.Store
	machines  *machine.Plane
	network   *network.Plane
	balancer  *balancer.Client
	metrics   metric.Store
	networks  *networks.Loop
	instances *instances.Loop
	fleet     scaling.Fleet // set by handler
}

// Run serves the local cloud until ctx ends, then stops machines, networks and
// load balancers, unless the cause of the end is ErrLeave.
func Run(ctx context.Context, config Config) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", config.Address)
	if err != nil {
		return portTaken(config.Address, err)
	}
	defer func() { _ = listener.Close() }()
	d := &daemon{Config: config}
	if err := d.open(ctx); err != nil {
		return errors.Join(err, d.close())
	}
	handler, err := d.handler()
	if err != nil {
		return errors.Join(err, d.close())
	}
	err = d.serve(ctx, listener, handler)
	if errors.Is(context.Cause(ctx), ErrLeave) {
		return errors.Join(err, d.close())
	}
	// What ended ctx must not end the shutting down.
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	return errors.Join(err, d.stop(bounded), d.close())
}

func (d *daemon) open(ctx context.Context) (err error) {
	for _, dir := range []string{d.Place.State, d.Place.Run} {
		if err := os.MkdirAll(dir, 0o711); err != nil {
			return fmt.Errorf("create %s: %w", dir, err)
		}
	}
	if err := writeFile(filepath.Join(d.Place.Run, ownerFile), []byte(d.Place.State+"\n")); err != nil {
		return err
	}
	if d.store, err = store.Open(d.Place.database()); err != nil {
		return err
	}
	if d.layers, err = image.Open(d.Place.images()); err != nil {
		return err
	}
	if err := d.layers.Clean(ctx); err != nil {
		return err
	}
	if d.machines, err = machine.New(machine.Config{
		Dir: d.Place.machines(), RunDir: filepath.Join(d.Place.Run, "machines"), CgroupName: d.Place.Name,
		Launcher: d.Part("machine"), Log: d.Log,
	}); err != nil {
		return err
	}
	about, err := metadata.New(facts{d.store}, d.Log)
	if err != nil {
		return err
	}
	proxies, env := proxySettings(d.HostEnv)
	if d.network, err = network.New(network.PlaneConfig{
		RunDir: filepath.Join(d.Place.Run, "network"), Name: d.Place.Name, HostProxies: proxies, Log: d.Log, Metadata: about,
		DNS: dns.New(dns.Config{Zone: names{d.store}.addresses, Reverse: names{d.store}.name, Log: d.Log}),
	}); err != nil {
		return err
	}
	d.balancer = &balancer.Client{Dir: filepath.Join(d.Place.Run, "balancer"), Command: d.Part("balancer"), Log: d.Log}
	d.networks = &networks.Loop{Store: d.store, Plane: d.network, Log: d.Log,
		Namespace: func(id string) string { return d.machines.Status(id).Namespace }}
	d.instances = &instances.Loop{Store: d.store, Machines: d.machines, Network: d.networks, Log: d.Log,
		Env: viaProxy(env, d.network.ProxyAddress()), Layer: d.layers.Path}
	return nil
}

// serve runs the loops and answers requests until ctx ends.
func (d *daemon) serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	group, ctx := errgroup.WithContext(ctx)
	if err := d.networks.Sync(ctx); err != nil {
		d.Log.Warn("set the network at the start", "error", err)
	}
	if err := d.balancer.Start(ctx); err != nil {
		return err
	}
	imagesLoop := &images.Loop{
		Store:     d.store,
		Layers:    d.layers,
		Instances: d.instances,
		Machines:  d.machines,
		Log:       d.Log,
	}
	balancersLoop := &balancers.Loop{
		Store:     d.store,
		Balancer:  d.balancer,
		Network:   d.networks,
		Namespace: d.network.NodeNamespace,
		Logs:      d.Place.logs(),
		Log:       d.Log,
	}
	metricsLoop := &metrics.Loop{
		Balancer: d.balancer,
		Machines: d.machines,
		Store:    d.store,
		Metrics:  &d.metrics,
		Log:      d.Log,
	}
	scalingLoop := &scaling.Loop{Store: d.store, Fleet: d.fleet, Log: d.Log}
	alarmsLoop := &alarms.Loop{
		Store:   d.store,
		Metrics: &d.metrics,
		Actions: capacity.Policies{Metrics: &d.metrics},
		Log:     d.Log,
	}
	schedulesLoop := &scaling.ScheduleLoop{Store: d.store, Log: d.Log}
	for _, run := range []func(context.Context) error{d.network.Run, d.networks.Run, d.instances.Run, imagesLoop.Run, balancersLoop.Run, metricsLoop.Run, alarmsLoop.Run, schedulesLoop.Run, scalingLoop.Run} {
		group.Go(func() error { return run(ctx) })
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(d.Log.Handler(), slog.LevelWarn),
	}
	group.Go(func() error {
		<-ctx.Done()
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		return server.Shutdown(bounded)
	})
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve the APIs: %w", err)
		}
		return nil
	})
	ticks, err := startTicks(os.Getpid())
	if err != nil {
		return err
	}
	self := Daemon{
		PID:       os.Getpid(),
		Started:   ticks,
		Version:   d.Version,
		Address:   listener.Addr().String(),
		StartedAt: time.Now(),
	}
	if err := self.write(d.Place); err != nil {
		return err
	}
	d.Log.Info("the local cloud runs", "address", self.Address, "version", self.Version)
	err = group.Wait()
	if ctx.Err() != nil && errors.Is(err, context.DeadlineExceeded) {
		return nil // a slow client was cut off
	}
	return err
}

// stop shuts the machines down and takes networks and load balancers away. The
// store keeps what is wanted.
func (d *daemon) stop(ctx context.Context) error {
	d.Log.Info("stopping machines, load balancers and networks")
	problems := d.balancer.Stop(ctx)
	group, _ := errgroup.WithContext(ctx)
	for _, id := range d.machines.List() {
		group.Go(func() error { return d.machines.Stop(ctx, id, false) })
	}
	return errors.Join(problems, group.Wait(), d.network.Remove(ctx))
}

func (d *daemon) close() error {
	var problems error
	if d.balancer != nil {
		d.balancer.Close()
	}
	if d.network != nil {
		problems = errors.Join(problems, d.network.Close())
	}
	if d.machines != nil {
		problems = errors.Join(problems, d.machines.Close())
	}
	if d.store != nil {
		problems = errors.Join(problems, d.store.Close())
	}
	return problems
}
