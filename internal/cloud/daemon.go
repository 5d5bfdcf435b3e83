//go:build linux

// Package cloud runs the local cloud: the AWS APIs on loopback, the store behind
// them, the control loops that bring about what the store desires, and the planes
// that touch the kernel.
package cloud

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/cloud/activekey"
	"aloft.dev/aloft/internal/cloud/api/cloudwatchlogs"
	"aloft.dev/aloft/internal/cloud/authority"
	"aloft.dev/aloft/internal/cloud/bandwidth"
	"aloft.dev/aloft/internal/cloud/control/images"
	"aloft.dev/aloft/internal/cloud/control/instances"
	"aloft.dev/aloft/internal/cloud/control/networks"
	"aloft.dev/aloft/internal/cloud/control/scaling"
	"aloft.dev/aloft/internal/cloud/dnsname"
	"aloft.dev/aloft/internal/cloud/eventlog"
	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/plane/admission"
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/dns"
	"aloft.dev/aloft/internal/cloud/plane/egress"
	"aloft.dev/aloft/internal/cloud/plane/image"
	"aloft.dev/aloft/internal/cloud/plane/linklocal"
	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/plane/metadata"
	"aloft.dev/aloft/internal/cloud/plane/network"
	"aloft.dev/aloft/internal/cloud/session"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/tunnel"
)

// shutdownTimeout bounds the shutdown of machines, load balancers and networks.
const shutdownTimeout = 2 * time.Minute

// maxLogEvents is how much of the disk the events of CloudWatch Logs take, in bytes.
const maxLogEvents = 1 << 30

// Config configures a local cloud.
type Config struct {
	Layout               host.Layout
	Address              string // of the APIs, on loopback
	Version              string
	AcceptAnyCredentials bool
	Mirrors              image.Mirrors     // archives to build base images from; none: those of the last start
	HostEnv              map[string]string // proxy and trust settings that machines inherit
	Reach                host.ReachChange  // what machines reach, unlike at the last start
	Bandwidth            bandwidth.Change  // how much of the host machines use, unlike at the last start
	Registries           []string          // URLs of registries, which machines reach wherever they are

	// MannersChanged receives a signal when the file of manners has changed.
	MannersChanged <-chan os.Signal

	// Subprocess returns the command line that runs a part of this program:
	// "machine", "balancer", "egress" or "linklocal".
	Subprocess func(name string) (argv []string)
	Log        *slog.Logger
	Output     *os.File // where subprocesses write what belongs into the log
}

// ErrLeave is the cause of a cancelled context that makes Run return without
// stopping machines, networks and load balancers.
var ErrLeave = errors.New("leave the data plane running")

// daemon is a running local cloud.
type daemon struct {
	Config
	store     *store.Store
	events    *eventlog.Log
	sessions  *session.Issuer
	layers    *image.Store
	machines  *machine.Plane
	network   *network.Plane
	balancer  *balancer.Client
	metrics   metric.Store
	manners   manners.Set
	authority *authority.Authority
	keys      activekey.Set
	networks  *networks.Loop
	instances *instances.Loop
	images    *images.Loop
	tunnels   *tunnel.Server      // set by openAPIs
	fleet     scaling.Fleet       // set by openAPIs
	logs      *cloudwatchlogs.API // set by openAPIs
	onHost    http.Handler        // of the APIs, set by openAPIs, as is inVPC
	inVPC     http.Handler
}

// Run serves the local cloud until ctx ends, then stops machines, networks and
// load balancers, unless ctx ended with the cause ErrLeave.
func Run(ctx context.Context, config Config) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", config.Address)
	if err != nil {
		return host.ListenProblem(config.Address, err)
	}
	defer func() { _ = listener.Close() }()
	d := &daemon{Config: config}
	d.metrics.Late = d.manners.MetricsLate
	if err := d.open(ctx); err != nil {
		return errors.Join(err, d.close())
	}
	err = d.serve(ctx, listener)
	if errors.Is(context.Cause(ctx), ErrLeave) {
		return errors.Join(err, d.close())
	}
	// ctx has ended; the shutdown needs a context of its own.
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	return errors.Join(err, d.stop(bounded), d.close())
}

// openState opens what the state folder holds.
func (d *daemon) openState(ctx context.Context) (err error) {
	if err := d.Layout.Create(); err != nil {
		return err
	}
	if err := d.readManners(); err != nil {
		return err
	}
	if d.store, err = store.Open(d.Layout.Database()); err != nil {
		return err
	}
	if d.events, err = eventlog.Open(d.Layout.LogEvents(), maxLogEvents); err != nil {
		return err
	}
	if d.layers, err = image.Open(d.Layout.Images()); err != nil {
		return err
	}
	if err := d.layers.Clean(ctx); err != nil {
		d.Log.Warn("leftovers of images could not be deleted", "error", err)
	}
	if d.layers.Mirrors, err = rememberMirrors(d.Layout, d.Mirrors); err != nil {
		return err
	}
	d.authority, err = host.OpenAuthority(d.Layout)
	return err
}

// open opens the store, the planes and the loops that handlers need.
func (d *daemon) open(ctx context.Context) (err error) {
	if err := d.openState(ctx); err != nil {
		return err
	}
	d.machines, err = machine.New(machine.Config{
		Dir:        d.Layout.Machines(),
		RunDir:     d.Layout.MachineRun(),
		CgroupName: d.Layout.Prefix,
		Images:     d.layers,
		Launcher:   d.Subprocess("machine"),
		Log:        d.Log,
	})
	if err != nil {
		return err
	}
	key, err := host.EnsureSessionKey(d.Layout)
	if err != nil {
		return err
	}
	if d.sessions, err = session.NewIssuer(key, nil); err != nil {
		return err
	}
	service, err := metadata.New(instanceMetadata{d.store, newInstanceCredentials(d.sessions), &d.keys}, d.Log)
	if err != nil {
		return err
	}
	if err := d.openAPIs(); err != nil {
		return err
	}
	reach, err := host.RememberReach(d.Layout, d.Reach)
	if err != nil {
		return err
	}
	limits, err := host.RememberBandwidth(d.Layout, d.Bandwidth)
	if err != nil {
		return err
	}
	descriptors, err := admission.Descriptors()
	if err != nil {
		return err
	}
	proxies, env := proxySettings(d.HostEnv, reach.LoopbackProxy)
	d.network, err = network.New(network.PlaneConfig{
		RunDir: d.Layout.NetworkRun(),
		Name:   d.Layout.Prefix,
		Reach: egress.Reach{
			Proxies: proxies,
			Private: reach.Private,
			Places:  places(env, d.layers.Mirrors.InUse(), d.Registries),
		},
		Egress: egress.NewClient(d.Layout.EgressRun(), d.Subprocess("egress"), d.Output, d.Log),
		LinkLocal: linklocal.NewClient(linklocal.Config{
			Dir: d.Layout.LinkLocalRun(), Command: d.Subprocess("linklocal"), Output: d.Output, Log: d.Log,
			Calls: descriptors / 4,
			Services: linklocal.Services{
				Metadata: service.Handler, API: d.inVPC,
				Names: machineNames(dnsname.Resolver{Store: d.store}), NameServers: dns.HostResolvers,
			},
		}),
		Log: d.Log,
	})
	if err != nil {
		return err
	}
	d.balancer = &balancer.Client{
		Dir: d.Layout.BalancerRun(), Command: d.Subprocess("balancer"), Log: d.Log,
		Namespaces: d.network.NodeNamespaces(), Logs: d.Layout.AccessLogs(),
	}
	d.networks = &networks.Loop{
		Store: d.store, Plane: d.network, Log: d.Log, Manners: &d.manners, Bandwidth: limits.Network,
		Namespace: func(id string) string { return d.machines.Status(id).Namespace },
	}
	d.instances = &instances.Loop{
		Store: d.store, Machines: d.machines, Network: d.networks, Log: d.Log, Manners: &d.manners, Disks: limits.Disk,
		Env: withEndpoint(viaProxy(env, d.network.ProxyAddress())), Layer: d.layers.Path,
	}
	d.images = &images.Loop{
		Store: d.store, Layers: d.layers, Instances: d.instances, Machines: d.machines, Log: d.Log,
		Manners: &d.manners,
		First:   image.Debian12,
	}
	return nil
}

// stop shuts down the machines and removes networks and load balancers. The
// store keeps them for the next start.
func (d *daemon) stop(ctx context.Context) error {
	d.Log.Info("stopping machines, load balancers and networks")
	problems := d.balancer.Stop(ctx)
	group, _ := errgroup.WithContext(ctx)
	for _, id := range d.machines.List() {
		group.Go(func() error { return d.machines.Stop(ctx, id, false) })
	}
	return errors.Join(problems, group.Wait(), d.network.Remove(ctx))
}

// close releases what open opened.
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
