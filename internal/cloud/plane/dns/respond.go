//go:build linux

package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"aloft.dev/aloft/internal/cloud/nat64"
	"aloft.dev/aloft/internal/cloud/plane/admission"
)

// maxChain is how many names an answer follows at most, from one CNAME to the next.
const maxChain = 8

// Cloud answers the questions that a resolver cannot answer itself.
type Cloud interface {
	// Find returns what the local cloud knows of a name and a type for a machine (Names).
	Find(ctx context.Context, machine admission.Source, name, kind string) (answer Answer, known bool, err error)
	// Connect connects with the host's name server of a number, which begins at 0, over "udp"
	// or "tcp". present is false if there is none of the number.
	Connect(ctx context.Context, server int, network string) (conn net.Conn, present bool, err error)
}

// exchange is a query and its answer.
type exchange struct {
	*Resolver
	machine admission.Source
	query   *dns.Msg
	tcp     bool // the query arrived over TCP
}

// respond returns the response to the query.
func (x *exchange) respond(ctx context.Context) *dns.Msg {
	if len(x.query.Question) != 1 || x.query.Opcode != dns.OpcodeQuery {
		return new(dns.Msg).SetRcode(x.query, dns.RcodeNotImplemented)
	}
	response, err := x.answer(ctx)
	if err != nil {
		x.log.Debug("answer a DNS query", "name", x.query.Question[0].Name, "error", err)
		return new(dns.Msg).SetRcode(x.query, dns.RcodeServerFailure)
	}
	return response
}

// answer returns the answer to the query. For machines with DNS64, a name without IPv6 addresses
// has those of its IPv4 addresses (RFC 6147, section 5.1).
func (x *exchange) answer(ctx context.Context) (*dns.Msg, error) {
	response, synthesize, err := x.follow(ctx, x.query)
	if err != nil || !synthesize || response.Rcode != dns.RcodeSuccess || holds[*dns.AAAA](response.Answer) {
		return response, err
	}
	asked := x.query.Copy()
	asked.Question[0].Qtype = dns.TypeA
	v4, _, err := x.follow(ctx, asked)
	if err != nil {
		return nil, err
	}
	if !holds[*dns.A](v4.Answer) {
		return response, nil
	}
	synthesized := new(dns.Msg).SetReply(x.query)
	for _, rr := range v4.Answer {
		if a, ok := rr.(*dns.A); ok {
			rr = embed(a)
		}
		synthesized.Answer = append(synthesized.Answer, rr)
	}
	return x.own(synthesized), nil
}

// holds reports whether one of the records is of a type.
func holds[Type dns.RR](records []dns.RR) bool {
	return slices.ContainsFunc(records, func(rr dns.RR) bool {
		_, ok := rr.(Type)
		return ok
	})
}

// embed returns the record of the IPv6 address of an IPv4 address.
func embed(a *dns.A) dns.RR {
	header := a.Hdr
	header.Rrtype = dns.TypeAAAA
	address, _ := netip.AddrFromSlice(a.A.To4()) // an A record has an address
	return &dns.AAAA{Hdr: header, AAAA: nat64.Embed(address).AsSlice()}
}

// follow returns the answer of the cloud to a query, followed through CNAMEs wherever they lead, or
// that of the host's name servers. synthesize is that of the cloud's first answer.
func (x *exchange) follow(ctx context.Context, query *dns.Msg) (response *dns.Msg, synthesize bool, err error) {
	response, asked := new(dns.Msg).SetReply(query), query
	for step := range maxChain {
		q := asked.Question[0]
		answer, known, err := x.cloud.Find(ctx, x.machine, plainName(q.Name), dns.TypeToString[q.Qtype])
		if err != nil {
			return nil, false, err
		}
		if step == 0 {
			synthesize = answer.Synthesize
		}
		if !known {
			rest, err := x.forward(ctx, asked)
			if err != nil || step == 0 {
				return rest, synthesize, err
			}
			response.Answer = append(response.Answer, rest.Answer...)
			response.Ns, response.Rcode = rest.Ns, rest.Rcode
			return x.own(response), synthesize, nil
		}
		records := parseRecords(answer.Records)
		for _, rr := range records {
			rr.Header().Name = q.Name
		}
		response.Answer = append(response.Answer, records...)
		alias, ok := first(records).(*dns.CNAME)
		if !ok || q.Qtype == dns.TypeCNAME {
			if !answer.Exists {
				response.Rcode = dns.RcodeNameError
			}
			if len(records) == 0 {
				response.Ns = parseRecords([]string{answer.Authority})
			}
			return x.own(response), synthesize, nil
		}
		asked = new(dns.Msg).SetQuestion(alias.Target, q.Qtype)
	}
	return nil, false, errors.New("too many CNAMEs")
}

func first(records []dns.RR) dns.RR {
	if len(records) == 0 {
		return nil
	}
	return records[0]
}

// own completes a response of the cloud. Over UDP, it has no more bytes than the machine takes.
func (x *exchange) own(response *dns.Msg) *dns.Msg {
	response.RecursionAvailable = true
	size := dns.MinMsgSize
	if edns := x.query.IsEdns0(); edns != nil {
		size = min(max(size, int(edns.UDPSize())), dns.DefaultMsgSize)
		response.SetEdns0(dns.DefaultMsgSize, false)
	}
	if x.tcp {
		size = dns.MaxMsgSize
	}
	response.Truncate(size)
	return response
}

// forward sends a query to the host's name servers in turn until one answers.
func (x *exchange) forward(ctx context.Context, query *dns.Msg) (*dns.Msg, error) {
	network := "udp"
	if x.tcp {
		network = "tcp"
	}
	lastErr := errors.New("the host has no name server")
	for number := range maxServers {
		conn, present, err := x.cloud.Connect(ctx, number, network)
		if !present && err == nil {
			break
		}
		var response *dns.Msg
		if err == nil {
			response, err = ask(ctx, conn, query)
		}
		if err == nil {
			return response, nil
		}
		if ctx.Err() != nil {
			return nil, err
		}
		lastErr = err
	}
	return nil, lastErr
}

// ask sends a query to a name server over a connection, which it closes, and returns the
// response unless it is that the server cannot answer.
func ask(ctx context.Context, conn net.Conn, query *dns.Msg) (*dns.Msg, error) {
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	client := &dns.Client{Timeout: upstreamTimeout}
	socket := &dns.Conn{Conn: conn, UDPSize: dns.MaxMsgSize}
	response, _, err := client.ExchangeWithConnContext(ctx, query, socket)
	if err != nil {
		return nil, fmt.Errorf("ask a name server: %w", err)
	}
	if response.Rcode == dns.RcodeServerFailure || response.Rcode == dns.RcodeRefused {
		return nil, fmt.Errorf("%s answers %s", conn.RemoteAddr(), dns.RcodeToString[response.Rcode])
	}
	return response, nil
}

// plainName returns a question's name as Names has it.
func plainName(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// parseRecords parses records, which were validated when they were made.
func parseRecords(lines []string) []dns.RR {
	var out []dns.RR
	for _, line := range lines {
		if rr, err := dns.NewRR(line); err == nil && rr != nil {
			out = append(out, rr)
		}
	}
	return out
}
