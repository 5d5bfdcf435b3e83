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

	"aloft.dev/aloft/internal/cloud/activekey"
	"aloft.dev/aloft/internal/cloud/api/cloudwatchlogs"
	"aloft.dev/aloft/internal/cloud/api/ec2"
	"aloft.dev/aloft/internal/cloud/api/s3"
	"aloft.dev/aloft/internal/cloud/authority"
	"aloft.dev/aloft/internal/cloud/bandwidth"
	"aloft.dev/aloft/internal/cloud/control/images"
	"aloft.dev/aloft/internal/cloud/control/instances"
	"aloft.dev/aloft/internal/cloud/control/networks"
	"aloft.dev/aloft/internal/cloud/control/scaling"
	"aloft.dev/aloft/internal/cloud/eventlog"
	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/objectfile"
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/image"
	"aloft.dev/aloft/internal/cloud/session"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/tunnel"
	"aloft.dev/aloft/internal/console"
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
	AnyImage             bool              // simulated: accept ids of images that do not exist
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
	claim    *os.File // of the run folder, until close
	store    *store.Store
	events   *eventlog.Log
	objects  *objectfile.Folder
	sessions *session.Issuer
	planes
	metrics   metric.Store
	manners   manners.Set
	authority *authority.Authority
	issuer    issuer // of the authority
	keys      activekey.Set
	networks  networkLoop
	instances *instances.Loop
	images    *images.Loop
	tunnels   *tunnel.Server // set by openAPIs
	fleet     scaling.Fleet  // set by openAPIs
	compute   *ec2.API       // set by openAPIs
	// mayWriteLogs decides whether flow logs may be written to a group with a role; set by openAPIs
	mayWriteLogs func(r store.Reader, role *store.Role, region identity.Region, group string) (bool, error)
	logs         *cloudwatchlogs.API // set by openAPIs
	buckets      *s3.API             // set by openAPIs
	onHost       http.Handler        // of the APIs, set by openAPIs, as are inVPC and console
	inVPC        http.Handler
	atNames      http.Handler // at the local cloud's own names, set by openAPIs
	console      *console.Console
	// neighbours returns the local cloud's own names; nil: nothing listens at ports. Set by serve.
	neighbours func(r store.Reader) []balancer.Neighbour
	calls      console.Calls

	// reset empties a simulated cloud; nil for others.
	reset func(context.Context) error
}

// Run serves the local cloud until ctx ends, then stops machines, networks and
// load balancers, unless ctx ended with the cause ErrLeave.
func Run(ctx context.Context, config Config) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", config.Address)
	if err != nil {
		return host.ListenProblem(config.Address, err)
	}
	defer func() { _ = listener.Close() }()
	if config.Layout.Simulated {
		return newSimulation(config).run(ctx, listener)
	}
	d := &daemon{Config: config}
	openStore := func() (*store.Store, error) { return store.Open(d.Layout.Database()) }
	if err := d.open(ctx, openStore, openKernelPlanes); err != nil {
		return errors.Join(err, d.close())
	}
	err = d.serve(ctx, listener)
	if errors.Is(context.Cause(ctx), ErrLeave) {
		return errors.Join(err, d.close())
	}
	// ctx has ended; the shutdown needs a context of its own.
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	d.Log.Info("stopping machines, load balancers and networks")
	return errors.Join(err, d.planes.stop(bounded), d.close())
}

// open opens the store, the APIs, the planes and the loops that handlers need.
func (d *daemon) open(ctx context.Context, openStore func() (*store.Store, error), openPlanes openPlanes) (err error) {
	d.metrics.Late = d.manners.MetricsLate
	if err := d.openState(ctx, openStore); err != nil {
		return err
	}
	if err := d.openAPIs(); err != nil {
		return err
	}
	if d.planes, err = openPlanes(ctx, d); err != nil {
		return err
	}
	d.networks = noNetwork{}
	if d.network != nil {
		d.networks = &networks.Loop{
			Store: d.store, Plane: d.network, Log: d.Log, Manners: &d.manners, Bandwidth: d.limits.Network,
			Namespace: func(id string) string { return d.machines.Status(id).Namespace },
		}
	}
	d.instances = &instances.Loop{
		Store: d.store, Machines: d.machines, Network: d.networks, Log: d.Log, Manners: &d.manners,
		Disks: d.limits.Disk, Networks: d.limits.Network, Env: d.env, EnvIPv6: overIPv6(d.env),
		Layer:  d.layers.Path,
		Volume: d.planes.volumes.Path,
	}
	d.images = &images.Loop{
		Store: d.store, Layers: d.layers, Instances: d.instances, Machines: d.machines, Log: d.Log,
		Manners: &d.manners,
		First:   image.Debian12,
	}
	return nil
}

// openState opens what the state folder holds, except the planes' files.
func (d *daemon) openState(ctx context.Context, openStore func() (*store.Store, error)) (err error) {
	if d.claim, err = d.Layout.Claim(ctx); err != nil {
		return err
	}
	if err := d.readManners(); err != nil {
		return err
	}
	if d.store, err = openStore(); err != nil {
		return err
	}
	if d.events, err = eventlog.Open(d.Layout.LogEvents(), maxLogEvents); err != nil {
		return err
	}
	if d.metrics.History, err = metric.OpenHistory(d.Layout.Metrics(), d.Log); err != nil {
		return err
	}
	if err := d.openObjects(); err != nil {
		return err
	}
	if d.authority, err = host.OpenAuthority(d.Layout); err != nil {
		return err
	}
	d.issuer.authority = d.authority
	key, err := host.EnsureSessionKey(d.Layout)
	if err != nil {
		return err
	}
	d.sessions, err = session.NewIssuer(key, nil)
	return err
}

// openObjects opens the content of S3's objects.
func (d *daemon) openObjects() error {
	key, err := host.EnsureObjectKey(d.Layout)
	if err != nil {
		return err
	}
	d.objects, err = objectfile.Open(d.Layout.Objects(), key)
	return err
}

// close releases what open opened.
func (d *daemon) close() error {
	var problems error
	if d.planes.close != nil {
		problems = d.planes.close()
	}
	problems = errors.Join(problems, d.metrics.SaveAll(time.Now()))
	if d.store != nil {
		problems = errors.Join(problems, d.store.Close())
	}
	if d.claim != nil {
		problems = errors.Join(problems, d.claim.Close())
	}
	return problems
}
