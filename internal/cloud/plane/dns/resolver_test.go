//go:build linux

package dns_test

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"

	mdns "github.com/miekg/dns"

	"aloft.dev/aloft/internal/cloud/plane/admission"
	"aloft.dev/aloft/internal/cloud/plane/dns"
)

// queries are limits that no test reaches by accident.
var queries = admission.Limits{PerSource: dns.QueriesPerMachine, Total: 512}

// cloud answers a resolver's questions in the test's process.
type cloud struct {
	dns.Names
	servers []string
}

func (c cloud) Find(_ context.Context, machine admission.Source, name, kind string) (dns.Answer, bool, error) {
	answer, known := c.Names.Find(machine, name, kind)
	return answer, known, nil
}

func (c cloud) Connect(_ context.Context, server int, network string) (net.Conn, bool, error) {
	if server >= len(c.servers) {
		return nil, false, nil
	}
	conn, err := net.Dial(network, c.servers[server])
	return conn, true, err
}

// resolver returns a resolver that names and servers answer.
func resolver(names dns.Names, servers ...string) *dns.Resolver {
	return dns.New(cloud{names, servers}, queries, slog.New(slog.DiscardHandler))
}

// serve runs do with UDP and TCP sockets on a free port and returns their address.
func serve(t *testing.T, do func(ctx context.Context, p net.PacketConn, l net.Listener) error) string {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	packets, err := net.ListenPacket("udp4", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- do(ctx, packets, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

// query returns the response code and the records of a response.
func query(t *testing.T, network, server, name string, kind uint16) (string, []string) {
	t.Helper()
	request := new(mdns.Msg).SetQuestion(mdns.Fqdn(name), kind)
	response, _, err := (&mdns.Client{Net: network}).Exchange(request, server)
	if err != nil {
		t.Fatal(err)
	}
	records := make([]string, 0, len(response.Answer))
	for _, rr := range response.Answer {
		switch rr := rr.(type) {
		case *mdns.A:
			records = append(records, rr.A.String())
		case *mdns.AAAA:
			records = append(records, rr.AAAA.String())
		case *mdns.PTR:
			records = append(records, rr.Ptr)
		}
	}
	return mdns.RcodeToString[response.Rcode], records
}

func TestResolverAnswersForTheCloudAndForwardsOtherNames(t *testing.T) {
	upstream := serve(t, func(ctx context.Context, p net.PacketConn, l net.Listener) error {
		upstreamZone := func(_, name string) ([]netip.Addr, bool) {
			if name == "example.com" {
				return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, true
			}
			return nil, true
		}
		return resolver(dns.Names{Zone: upstreamZone}).Serve(ctx, "", []net.PacketConn{p}, []net.Listener{l})
	})
	zone := map[string]string{
		"vpc-1 ip-10-0-1-5.ec2.internal": "10.0.1.5", "vpc-2 ip-10-0-1-5.ec2.internal": "10.0.1.6",
	}
	for vpc, want := range map[string]string{"vpc-1": "10.0.1.5", "vpc-2": "10.0.1.6"} {
		r := resolver(dns.Names{
			Zone: func(vpc, name string) ([]netip.Addr, bool) {
				addr, ok := zone[vpc+" "+name]
				if name == "both.example" {
					return []netip.Addr{netip.MustParseAddr("10.0.1.7"), netip.MustParseAddr("2001:db8::7")}, true
				}
				if !ok {
					return nil, filepath.Ext(name) == ".internal"
				}
				return []netip.Addr{netip.MustParseAddr(addr)}, true
			},
			Reverse: func(_ string, a netip.Addr) (string, bool) {
				return "ip-10-0-1-5.ec2.internal", a == netip.MustParseAddr("10.0.1.5")
			},
		}, upstream)
		server := serve(t, func(ctx context.Context, p net.PacketConn, l net.Listener) error {
			return r.Serve(ctx, vpc, []net.PacketConn{p}, []net.Listener{l})
		})
		for _, network := range []string{"udp", "tcp"} {
			for _, c := range []struct {
				name    string
				kind    uint16
				code    string
				records []string
			}{
				{"IP-10-0-1-5.ec2.internal", mdns.TypeA, "NOERROR", []string{want}},
				{"ip-10-0-1-5.ec2.internal", mdns.TypeAAAA, "NOERROR", nil},
				{"both.example", mdns.TypeA, "NOERROR", []string{"10.0.1.7"}},
				{"both.example", mdns.TypeAAAA, "NOERROR", []string{"2001:db8::7"}},
				{"both.example", mdns.TypeMX, "NOERROR", nil},
				{"ip-10-0-1-9.ec2.internal", mdns.TypeA, "NXDOMAIN", nil},
				{"5.1.0.10.in-addr.arpa", mdns.TypePTR, "NOERROR", []string{"ip-10-0-1-5.ec2.internal."}},
				{"9.1.0.10.in-addr.arpa", mdns.TypePTR, "NXDOMAIN", nil},
				{"example.com", mdns.TypeA, "NOERROR", []string{"192.0.2.1"}},
				{"nowhere.example", mdns.TypeA, "NXDOMAIN", nil},
			} {
				code, records := query(t, network, server, c.name, c.kind)
				if code != c.code || !slices.Equal(records, c.records) {
					t.Errorf("%s %s %s: got %s %v, want %s %v", vpc, network, c.name, code, records, c.code, c.records)
				}
			}
		}
	}
}

func TestResolverWithoutUpstreamsFailsAtOnce(t *testing.T) {
	r := resolver(dns.Names{Zone: func(_, _ string) ([]netip.Addr, bool) { return nil, false }})
	server := serve(t, func(ctx context.Context, p net.PacketConn, l net.Listener) error {
		return r.Serve(ctx, "vpc-1", []net.PacketConn{p}, []net.Listener{l})
	})
	if code, _ := query(t, "udp", server, "example.com", mdns.TypeA); code != "SERVFAIL" {
		t.Errorf("got %s, want SERVFAIL", code)
	}
}

func TestLongAnswersOfTheCloudAreTruncatedOverUDP(t *testing.T) {
	addresses := make([]netip.Addr, 100)
	for i := range addresses {
		addresses[i] = netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})
	}
	r := resolver(dns.Names{Zone: func(_, _ string) ([]netip.Addr, bool) { return addresses, true }})
	server := serve(t, func(ctx context.Context, p net.PacketConn, l net.Listener) error {
		return r.Serve(ctx, "vpc-1", []net.PacketConn{p}, []net.Listener{l})
	})
	for _, c := range []struct {
		network string
		size    uint16 // of EDNS; 0: none
		whole   bool
	}{{"udp", 0, false}, {"udp", 100, false}, {"udp", 4096, true}, {"tcp", 0, true}} {
		request := new(mdns.Msg).SetQuestion("many.example.", mdns.TypeA)
		if c.size > 0 {
			request.SetEdns0(c.size, false)
		}
		response, _, err := (&mdns.Client{Net: c.network}).Exchange(request, server)
		if err != nil {
			t.Fatal(err)
		}
		n := len(response.Answer)
		if response.Truncated == c.whole || c.whole != (n == len(addresses)) || n == 0 {
			t.Errorf("%s with %d bytes: %d records, truncated: %v", c.network, c.size, n, response.Truncated)
		}
	}
}
