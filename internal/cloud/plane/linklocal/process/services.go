//go:build linux

package process

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/admission"
	"aloft.dev/aloft/internal/cloud/plane/dns"
	"aloft.dev/aloft/internal/cloud/plane/linklocal"
	"aloft.dev/aloft/internal/cloud/plane/vpchttp"
)

// connectionsPerMachine is the most connections that one machine has open to one of the
// services.
const connectionsPerMachine = 128

// services talk to the machines of all VPCs, within limits.
type services struct {
	daemon                   *daemon
	resolver                 *dns.Resolver
	metadata, api, dnsStream *admission.Gate
	log                      *slog.Logger
}

// newServices returns services that use at most half of a number of files.
func newServices(files int, d *daemon, log *slog.Logger) *services {
	gate := func(service string) *admission.Gate {
		return admission.NewGate(service, admission.Within(files, connectionsPerMachine), log)
	}
	return &services{
		daemon: d, log: log, metadata: gate("metadata"), api: gate("api"), dnsStream: gate("dns"),
		resolver: dns.New(cloud{d}, admission.Within(files, dns.QueriesPerMachine), log),
	}
}

// serve serves a place until ctx ends or its sockets are closed. It closes them.
func (s *services) serve(ctx context.Context, id string, sockets *linklocal.Sockets) {
	defer sockets.Close()
	var running sync.WaitGroup
	defer running.Wait()
	start := func(service string, serve func() error) {
		running.Go(func() {
			if err := serve(); err != nil && ctx.Err() == nil && !errors.Is(err, net.ErrClosed) {
				s.log.Error("serve machines", "service", service, "place", id, "error", err)
			}
		})
	}
	if sockets.Endpoint != nil {
		start("endpoint", func() error {
			own := &identity{daemon: s.daemon, interfaceID: id, now: time.Now}
			listener := tls.NewListener(s.api.Listen(id, sockets.Endpoint), own.config())
			return vpchttp.Serve(ctx, s.apiServer(id, linklocal.Endpoint), listener)
		})
		return
	}
	for _, listener := range []*net.TCPListener{sockets.Metadata, sockets.Metadata6} {
		if listener != nil {
			start("metadata", func() error {
				return vpchttp.Serve(ctx, s.metadataServer(id), s.metadata.Listen(id, listener))
			})
		}
	}
	for _, listener := range []*net.TCPListener{sockets.API, sockets.API6} {
		if listener != nil {
			start("api", func() error {
				return vpchttp.Serve(ctx, s.apiServer(id, linklocal.API), s.api.Listen(id, listener))
			})
		}
	}
	if len(sockets.Packets) == 0 {
		return
	}
	packets, streams := make([]net.PacketConn, 0, len(sockets.Packets)), make([]net.Listener, 0, len(sockets.Streams))
	for i := range sockets.Packets {
		packets = append(packets, sockets.Packets[i])
		streams = append(streams, s.dnsStream.Listen(id, sockets.Streams[i]))
	}
	start("dns", func() error { return s.resolver.Serve(ctx, id, packets, streams) })
}

// metadataServer returns the HTTP server of a VPC's metadata service.
func (s *services) metadataServer(vpcID string) *http.Server {
	return &http.Server{
		Handler:     &forwarder{daemon: s.daemon, service: linklocal.Metadata, place: vpcID, log: s.log},
		ConnContext: withConnection, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		ReadTimeout: metadataTimeout, WriteTimeout: metadataTimeout, IdleTimeout: metadataIdleTimeout,
		MaxHeaderBytes: metadataHeader,
	}
}

// apiServer returns the HTTP server of the cloud's APIs at a place.
func (s *services) apiServer(id string, service linklocal.Service) *http.Server {
	return &http.Server{
		Handler:     &forwarder{daemon: s.daemon, service: service, place: id, log: s.log},
		ConnContext: withConnection, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		ReadHeaderTimeout: apiHeaderTimeout, IdleTimeout: apiIdleTimeout,
		ReadTimeout: apiRequestTimeout, WriteTimeout: apiRequestTimeout,
		MaxHeaderBytes: apiHeader,
	}
}
