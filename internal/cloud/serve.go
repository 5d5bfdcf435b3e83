//go:build linux

package cloud

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/cloud/api/ec2"
	"aloft.dev/aloft/internal/cloud/control/alarms"
	"aloft.dev/aloft/internal/cloud/control/balancers"
	"aloft.dev/aloft/internal/cloud/control/certificates"
	"aloft.dev/aloft/internal/cloud/control/commands"
	"aloft.dev/aloft/internal/cloud/control/endpoints"
	"aloft.dev/aloft/internal/cloud/control/fleets"
	"aloft.dev/aloft/internal/cloud/control/flowlogs"
	"aloft.dev/aloft/internal/cloud/control/metrics"
	"aloft.dev/aloft/internal/cloud/control/natgateways"
	"aloft.dev/aloft/internal/cloud/control/notifications"
	"aloft.dev/aloft/internal/cloud/control/scaling"
	"aloft.dev/aloft/internal/cloud/control/volumes"
	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/notification"
	"aloft.dev/aloft/internal/cloud/plane/loopback"
	"aloft.dev/aloft/internal/cloud/scaling/capacity"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Timeouts of the APIs' HTTP server.
const (
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 2 * time.Minute
	drainTimeout      = 2 * time.Second // for requests in progress when the daemon ends
)

// maxHeaderBytes is the size of the largest header. The longest parts are session tokens and
// presigned queries.
const maxHeaderBytes = 64 << 10

// apiConnections limits the connections to the APIs on the host. One user must not keep the
// others out, and nobody the user who runs the local cloud. An SDK's client has up to 32 here.
var apiConnections = loopback.Limits{Total: 1024, Others: 768, PerUser: 192}

// serve runs the loops and serves the APIs until ctx ends.
func (d *daemon) serve(ctx context.Context, listener net.Listener) error {
	group, ctx := errgroup.WithContext(ctx)
	address := listener.Addr().String()
	names := &ownNames{store: d.store, issuer: &d.issuer}
	named, err := names.listen(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = named.Close() }()
	d.neighbours = names.neighbours(named.Addr())
	if err := d.startLoops(ctx, group, address); err != nil {
		return err
	}
	serveAPIs(ctx, group, apiServer{listener: listener, handler: d.onHost, perUser: apiConnections.PerUser, log: d.Log})
	serveAPIs(ctx, group, apiServer{
		listener: named, handler: d.atNames, log: d.Log,
		perUser: apiConnections.Others, // all come from the load balancer process
		tls:     &tls.Config{GetCertificate: names.certificate, MinVersion: tls.VersionTLS12},
	})
	if err := host.RecordDaemon(d.Layout, d.Version, address); err != nil {
		return err
	}
	d.Log.Info("the local cloud is running", "address", address, "version", d.Version)
	err = group.Wait()
	if ctx.Err() != nil && errors.Is(err, context.DeadlineExceeded) {
		return nil // the shutdown cut off a slow client
	}
	return err
}

// startLoops starts the control loops in the group. address is that of the APIs.
func (d *daemon) startLoops(ctx context.Context, group *errgroup.Group, address string) error {
	if err := d.networks.Sync(ctx); err != nil {
		d.Log.Warn("configure the network at the start", "error", err)
	}
	if err := d.start(ctx); err != nil {
		return err
	}
	for _, run := range append(d.loops(address), d.run...) {
		group.Go(func() error { return run(ctx) })
	}
	group.Go(func() error { return d.followManners(ctx) })
	group.Go(func() error {
		<-ctx.Done()
		d.console.Close() // or open pages would hold up the end of the server
		return nil
	})
	return nil
}

// apiServer is a handler of the APIs at a listener.
type apiServer struct {
	listener net.Listener
	handler  http.Handler
	perUser  int         // connections of one user at a time
	tls      *tls.Config // nil: plain HTTP
	log      *slog.Logger
}

// serveAPIs serves a handler in the group until ctx ends.
func serveAPIs(ctx context.Context, group *errgroup.Group, s apiServer) {
	limits := apiConnections
	limits.Owner, limits.PerUser = os.Geteuid(), s.perUser
	listener := loopback.Limit(s.listener, limits, wire.Overloaded(), s.log)
	if s.tls != nil {
		listener = tls.NewListener(listener, s.tls)
	}
	server := &http.Server{
		Handler:           s.handler,
		ConnContext:       withConnection,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	group.Go(func() error {
		<-ctx.Done()
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer cancel()
		return server.Shutdown(bounded)
	})
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve the APIs: %w", err)
		}
		return nil
	})
}

// nodeNamespace returns the path of the namespace of a load balancer's node, or "".
func (d *daemon) nodeNamespace(interfaceID string) string {
	if d.network == nil {
		return ""
	}
	return d.network.NodeNamespace(interfaceID)
}

// loops returns the functions that run the control loops. address is that of the APIs.
func (d *daemon) loops(address string) []func(context.Context) error {
	balancersLoop := &balancers.Loop{
		Store:     d.store,
		Balancer:  d.balancer,
		Network:   d.networks,
		Namespace: d.nodeNamespace,
		Logs:      d.Layout.AccessLogs(),
		Buckets:   d.buckets,
		Log:       d.Log,
		Manners:   &d.manners,

		Neighbours: d.neighbours,
	}
	volumesLoop := &volumes.Loop{Store: d.store, Files: d.planes.volumes, Machines: d.machines, Log: d.Log}
	natGatewaysLoop := &natgateways.Loop{Store: d.store, Network: d.networks, Log: d.Log}
	metricsLoop := &metrics.Loop{
		Store: d.store, Balancer: d.balancer, Machines: d.machines, Metrics: &d.metrics, Log: d.Log,
		Manners: &d.manners,
	}
	flowLogsLoop := &flowlogs.Loop{
		Store: d.store, Logs: d.logs, Buckets: d.buckets, MayWrite: d.mayWriteLogs, Log: d.Log,
	}
	if d.network != nil {
		metricsLoop.Network, flowLogsLoop.Network = d.network, d.network
	}
	alarmsLoop := &alarms.Loop{
		Store: d.store, Metrics: &d.metrics, Log: d.Log,
		Actions: alarmActions{
			policies: capacity.Policies{Metrics: &d.metrics}, compute: d.compute, ids: identity.New(nil),
			region: ec2.RegionTitle,
		},
	}
	notificationsLoop := &notifications.Loop{
		Store: d.store, Outbox: d.Layout.Outbox(), Log: d.Log,
		Letters: notification.Letters{Links: notification.Links("http://" + address), Signer: d.signer(address)},
	}
	scalingLoop := &scaling.Loop{Store: d.store, Fleet: d.fleet, Log: d.Log, Manners: &d.manners}
	certificatesLoop := &certificates.Loop{Store: d.store, Authority: d.authority, Log: d.Log}
	schedulesLoop := &scaling.ScheduleLoop{Store: d.store, Log: d.Log}
	commandsLoop := &commands.Loop{Store: d.store, Log: d.Log}
	fleetsLoop := &fleets.Loop{Store: d.store, Compute: d.compute, Log: d.Log}
	endpointsLoop := &endpoints.Loop{Store: d.store, Network: d.networks, Log: d.Log}
	return []func(context.Context) error{
		d.networks.Run, d.instances.Run, d.images.Run, balancersLoop.Run,
		natGatewaysLoop.Run, volumesLoop.Run, metricsLoop.Run, alarmsLoop.Run, schedulesLoop.Run, scalingLoop.Run,
		certificatesLoop.Run, flowLogsLoop.Run, fleetsLoop.Run,
		endpointsLoop.Run, d.tunnels.Run, notificationsLoop.Run, d.logs.Run, commandsLoop.Run,
		d.buckets.Run,
	}
}
