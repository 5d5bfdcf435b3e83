//go:build linux

// Package dns is the resolver of a VPC. It answers for the names of the local cloud and
// forwards other queries to the host's name servers.
package dns

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"

	"github.com/miekg/dns"

	"aloft.dev/aloft/internal/cloud/plane/admission"
)

// QueriesPerMachine is the most queries of a machine that should be answered at the same
// time.
const QueriesPerMachine = 128

// Resolver answers the queries of machines.
type Resolver struct {
	cloud Cloud
	gate  *admission.Gate
	log   *slog.Logger
}

// New returns a resolver. The limits are those of queries that are answered at the same time.
func New(cloud Cloud, queries admission.Limits, log *slog.Logger) *Resolver {
	return &Resolver{cloud, admission.NewGate("dns queries", queries, log), log}
}

// Serve answers queries from machines of the VPC until ctx ends or the sockets are
// closed. It closes them.
func (r *Resolver) Serve(ctx context.Context, vpcID string, packets []net.PacketConn, streams []net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, query *dns.Msg) {
		source, tcp := sourceOf(vpcID, w.RemoteAddr())
		if !r.gate.Enter(source) {
			return // as on AWS, whose resolver drops queries beyond its quota
		}
		defer r.gate.Leave(source)
		x := &exchange{r, source, query, tcp}
		_ = w.WriteMsg(x.respond(ctx)) // fails if the machine is gone
	})
	servers := make([]*dns.Server, 0, len(packets)+len(streams))
	for _, p := range packets {
		servers = append(servers, &dns.Server{PacketConn: p, Handler: handler})
	}
	for _, l := range streams {
		servers = append(servers, &dns.Server{Listener: l, Handler: handler, IdleTimeout: idleTimeout})
	}
	closeAll := func() {
		for _, p := range packets {
			_ = p.Close()
		}
		for _, l := range streams {
			_ = l.Close()
		}
	}
	stop := context.AfterFunc(ctx, closeAll)
	defer stop()
	var running sync.WaitGroup
	problems := make([]error, len(servers))
	for i, s := range servers {
		running.Go(func() {
			defer cancel() // the resolver needs all of its sockets
			if err := s.ActivateAndServe(); err != nil && !errors.Is(err, net.ErrClosed) {
				problems[i] = fmt.Errorf("answer DNS queries: %w", err)
			}
		})
	}
	running.Wait()
	closeAll()
	cancel()
	return errors.Join(problems...)
}

// sourceOf returns the machine that sends from the address, and whether it does so over TCP.
func sourceOf(vpcID string, address net.Addr) (source admission.Source, tcp bool) {
	_, tcp = address.(*net.TCPAddr)
	from, _ := netip.ParseAddrPort(address.String()) // it is the address of a socket
	return admission.Source{VPC: vpcID, Address: from.Addr().Unmap()}, tcp
}
