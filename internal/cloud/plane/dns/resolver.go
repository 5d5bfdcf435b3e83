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

// Zone returns the addresses of a name as machines of the VPC see them. The name is in
// lower case and has no trailing dot. known is false for names outside the cloud; a
// known name without addresses does not exist.
type Zone func(vpcID, name string) (addresses []netip.Addr, known bool)

// Reverse returns the name of an address as machines of the VPC see it.
type Reverse func(vpcID string, address netip.Addr) (name string, known bool)

// Hosted returns what the hosted zones of the cloud know of a name, which is like those of
// Zone, and a type, such as "A". known is false for names of no zone.
type Hosted func(vpcID, name, kind string) (answer HostedAnswer, known bool)

// HostedAnswer is the answer of a zone's name servers. Records are in the form of zone files (RFC
// 1035, section 5.1).
type HostedAnswer struct {
	Exists    bool     // the name exists
	Records   []string // of the type, or a CNAME
	Authority string   // the zone's SOA
}

// Config configures a Resolver.
type Config struct {
	Zone    Zone
	Hosted  Hosted  // nil: the cloud has no hosted zones
	Reverse Reverse // nil: no address has a name in the cloud

	// Upstreams returns the name servers for names outside the cloud. The resolver calls
	// it for each query, because they change with networks and VPNs. The default is
	// HostResolvers.
	Upstreams func() ([]netip.AddrPort, error)

	// Queries limits those that are answered at the same time. One that is forwarded costs a
	// descriptor until the host's name server answers.
	Queries admission.Limits
	Log     *slog.Logger
}

// QueriesPerMachine is the most queries of a machine that should be answered at the same
// time.
const QueriesPerMachine = 128

// Resolver answers the queries of machines.
type Resolver struct {
	cfg  Config
	gate *admission.Gate
}

// New returns a resolver.
func New(cfg Config) *Resolver {
	if cfg.Upstreams == nil {
		cfg.Upstreams = HostResolvers
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Resolver{cfg, admission.NewGate("dns queries", cfg.Queries, cfg.Log)}
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
		_ = w.WriteMsg(r.respond(ctx, vpcID, query, tcp)) // fails if the machine is gone
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

// respond returns the response to a query. tcp is true if the query arrived over TCP.
func (r *Resolver) respond(ctx context.Context, vpcID string, query *dns.Msg, tcp bool) *dns.Msg {
	if len(query.Question) != 1 || query.Opcode != dns.OpcodeQuery {
		return new(dns.Msg).SetRcode(query, dns.RcodeNotImplemented)
	}
	local := r.answerLocally(vpcID, query)
	if local == nil {
		local = r.answerHosted(ctx, vpcID, query, tcp)
	}
	if local != nil {
		local.RecursionAvailable = true
		if query.IsEdns0() != nil {
			local.SetEdns0(dns.DefaultMsgSize, false)
		}
		return local
	}
	response, err := r.forward(ctx, query, tcp)
	if err != nil {
		r.cfg.Log.Debug("forward a DNS query", "name", query.Question[0].Name, "error", err)
		return new(dns.Msg).SetRcode(query, dns.RcodeServerFailure)
	}
	return response
}
