//go:build linux

package network

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"

	"aloft.dev/aloft/internal/cloud/plane/vpchttp"
)

// MetadataService is the instance metadata service.
type MetadataService interface {
	// Serve serves the VPC's machines until ctx ends or the listener is closed. It
	// closes the listener.
	Serve(ctx context.Context, vpcID string, listener net.Listener) error
}

// DNSService is the resolver.
type DNSService interface {
	// Serve serves the VPC's machines until ctx ends or the sockets are closed. It
	// closes the sockets.
	Serve(ctx context.Context, vpcID string, packets []net.PacketConn, streams []net.Listener) error
}

// Run serves the machines of all VPCs and proxies their connections to the outside
// until ctx ends. Connections that arrive while it is not running wait.
func (p *Plane) Run(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	for {
		vpcs, egress := p.listeners.claimNew()
		if egress != nil {
			running.Go(func() {
				defer p.listeners.releaseEgress(egress)
				if err := p.cfg.Egress.Serve(ctx, egress.listener, p.cfg.Reach); err != nil {
					p.cfg.Log.Error("carry connections to the outside", "error", err)
				}
			})
		}
		for id, l := range vpcs {
			running.Go(func() {
				defer p.listeners.releaseVPC(id, l)
				p.serveVPC(ctx, id, l)
			})
		}
		select {
		case <-ctx.Done():
			return nil
		case <-p.listeners.changed:
		}
	}
}

// serveVPC serves one VPC until its listeners are closed.
func (p *Plane) serveVPC(ctx context.Context, vpcID string, l *vpcListeners) {
	var running sync.WaitGroup
	start := func(service string, serve func() error) {
		running.Go(func() {
			if err := serve(); err != nil && ctx.Err() == nil && !errors.Is(err, net.ErrClosed) {
				p.cfg.Log.Error("serve machines", "service", service, "vpc", vpcID, "error", err)
			}
		})
	}
	if l.metadata != nil {
		start("metadata", func() error {
			return p.cfg.Metadata.Serve(ctx, vpcID, p.gates.metadata.Listen(vpcID, l.metadata))
		})
	}
	if l.api != nil {
		start("api", func() error { return vpchttp.Serve(ctx, p.apiServer(), p.gates.api.Listen(vpcID, l.api)) })
	}
	if l.resolver {
		streams := make([]net.Listener, 0, len(l.streams))
		for _, s := range l.streams {
			streams = append(streams, p.gates.dns.Listen(vpcID, s))
		}
		start("dns", func() error { return p.cfg.DNS.Serve(ctx, vpcID, l.packets, streams) })
	}
	running.Wait()
}

// apiServer returns the server of the cloud's APIs in one VPC.
func (p *Plane) apiServer() *http.Server {
	return &http.Server{
		Handler: p.cfg.API, ReadHeaderTimeout: apiHeaderTimeout, IdleTimeout: apiIdleTimeout,
		ReadTimeout: apiRequestTimeout, WriteTimeout: apiRequestTimeout,
		ErrorLog: slog.NewLogLogger(p.cfg.Log.Handler(), slog.LevelDebug),
	}
}
