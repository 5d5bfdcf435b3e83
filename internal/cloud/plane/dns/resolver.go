// Package dns is the resolver of a VPC: it answers for the names that the cloud
// gives, and asks the host's own resolvers for the others.
package dns

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// Zone answers for a name, without its closing dot and in lower case, as machines
// of the VPC see it. known is whether the cloud speaks for the name; a known name
// without addresses does not exist.
type Zone func(vpcID, name string) (addresses []netip.Addr, known bool)

// Reverse gives the name of an address as machines of the VPC see it.
type Reverse func(vpcID string, address netip.Addr) (name string, known bool)

// Config says where answers come from.
type Config struct {
	Zone    Zone
	Reverse Reverse // nil: no address has a name of the cloud's

	// Upstreams lists the name servers that know the world. It is called for each
	// question: they change with networks and VPNs. Default HostResolvers.
	Upstreams func() ([]netip.AddrPort, error)
	Log       *slog.Logger
}

// Resolver answers the questions of machines.
type Resolver struct{ cfg Config }

// New gives a resolver.
func New(cfg Config) *Resolver {
	if cfg.Upstreams == nil {
		cfg.Upstreams = HostResolvers
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Resolver{cfg}
}

const (
	// ttl of answers that the cloud gives, in seconds (as Route 53 does for
	// instances' names).
	ttl = 60
	// upstreamTimeout with one of the host's resolvers.
	upstreamTimeout = 3 * time.Second
	// tcpIdleTimeout is how long a connection over TCP stays open between questions.
	tcpIdleTimeout = 10 * time.Second
)

// Serve answers questions from machines of the VPC until ctx ends or the sockets
// are closed. It closes them.
func (r *Resolver) Serve(ctx context.Context, vpcID string, packets []net.PacketConn, streams []net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, question *dns.Msg) {
		_, stream := w.RemoteAddr().(*net.TCPAddr)
		// If the machine is gone it hears nothing.
		_ = w.WriteMsg(r.answer(ctx, vpcID, question, stream))
	})
	servers := make([]*dns.Server, 0, len(packets)+len(streams))
	for _, p := range packets {
		servers = append(servers, &dns.Server{PacketConn: p, Handler: handler})
	}
	for _, l := range streams {
		servers = append(
			servers,
			&dns.Server{Listener: l, Handler: handler, IdleTimeout: func() time.Duration { return tcpIdleTimeout }},
		)
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
			defer cancel() // one socket alone is no resolver
			if err := s.ActivateAndServe(); err != nil && !errors.Is(err, net.ErrClosed) {
				problems[i] = fmt.Errorf("answer questions: %w", err)
			}
		})
	}
	running.Wait()
	closeAll()
	cancel()
	return errors.Join(problems...)
}

// answer gives the answer to a question, which came over TCP if stream is set.
func (r *Resolver) answer(ctx context.Context, vpcID string, question *dns.Msg, stream bool) *dns.Msg {
	if len(question.Question) != 1 || question.Opcode != dns.OpcodeQuery {
		return new(dns.Msg).SetRcode(question, dns.RcodeNotImplemented)
	}
	if own := r.answerLocally(vpcID, question); own != nil {
		own.RecursionAvailable = true
		if options := question.IsEdns0(); options != nil {
			own.SetEdns0(dns.DefaultMsgSize, false)
		}
		return own
	}
	answer, err := r.forward(ctx, question, stream)
	if err != nil {
		r.cfg.Log.Debug("ask the host's resolvers", "name", question.Question[0].Name, "error", err)
		return new(dns.Msg).SetRcode(question, dns.RcodeServerFailure)
	}
	return answer
}

// answerLocally answers what the cloud speaks for; nil is what it does not.
func (r *Resolver) answerLocally(vpcID string, question *dns.Msg) *dns.Msg {
	q := question.Question[0]
	name := strings.ToLower(strings.TrimSuffix(q.Name, "."))
	header := dns.RR_Header{Name: q.Name, Rrtype: q.Qtype, Class: dns.ClassINET, Ttl: ttl}
	answer := new(dns.Msg).SetReply(question)
	if addr, ok := parseReverseName(name); ok {
		host, known := "", false
		if r.cfg.Reverse != nil {
			host, known = r.cfg.Reverse(vpcID, addr)
		}
		switch {
		case known && q.Qtype == dns.TypePTR:
			answer.Answer = append(answer.Answer, &dns.PTR{Hdr: header, Ptr: dns.Fqdn(host)})
		case known:
		case addr.IsPrivate(): // nobody outside could know
			answer.Rcode = dns.RcodeNameError
		default:
			return nil
		}
		return answer
	}
	addresses, known := r.cfg.Zone(vpcID, name)
	switch {
	case !known:
		return nil
	case len(addresses) == 0:
		answer.Rcode = dns.RcodeNameError
	case q.Qtype == dns.TypeA:
		for _, a := range addresses {
			answer.Answer = append(answer.Answer, &dns.A{Hdr: header, A: a.AsSlice()})
		}
	}
	return answer
}

// parseReverseName reads an address from a name below in-addr.arpa (RFC 1035, 3.5).
func parseReverseName(name string) (netip.Addr, bool) {
	digits, ok := strings.CutSuffix(name, ".in-addr.arpa")
	parts := strings.Split(digits, ".")
	if !ok || len(parts) != 4 {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(parts[3] + "." + parts[2] + "." + parts[1] + "." + parts[0])
	return addr, err == nil
}

// forward asks the host's resolvers in turn.
func (r *Resolver) forward(ctx context.Context, question *dns.Msg, stream bool) (*dns.Msg, error) {
	upstreams, err := r.cfg.Upstreams()
	if err != nil {
		return nil, err
	}
	client := &dns.Client{Timeout: upstreamTimeout, UDPSize: dns.MaxMsgSize}
	if stream {
		client.Net = "tcp"
	}
	problem := errors.New("the host has no resolver")
	for _, server := range upstreams {
		answer, _, err := client.ExchangeContext(ctx, question, server.String())
		if err == nil && answer.Rcode != dns.RcodeServerFailure && answer.Rcode != dns.RcodeRefused {
			return answer, nil
		}
		if err == nil {
			err = fmt.Errorf("%s answers %s", server, dns.RcodeToString[answer.Rcode])
		}
		problem = err
	}
	return nil, problem
}

// HostResolvers lists the name servers of the host (resolv.conf(5)).
func HostResolvers() ([]netip.AddrPort, error) {
	host, err := dns.ClientConfigFromFile("/etc/resolv.conf")
	if err != nil {
		return nil, fmt.Errorf("read the host's resolvers: %w", err)
	}
	all := make([]netip.AddrPort, 0, len(host.Servers))
	for _, server := range host.Servers {
		if addr, err := netip.ParseAddr(server); err == nil {
			all = append(all, netip.AddrPortFrom(addr, 53))
		}
	}
	return all, nil
}
