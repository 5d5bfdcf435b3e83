package dns_test

import (
	"context"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"

	mdns "github.com/miekg/dns"

	"aloft.dev/aloft/internal/cloud/plane/dns"
)

// serve answers on a free port over UDP and TCP and gives the address.
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

func ask(t *testing.T, network, server, name string, kind uint16) (string, []string) {
	t.Helper()
	question := new(mdns.Msg).SetQuestion(mdns.Fqdn(name), kind)
	answer, _, err := (&mdns.Client{Net: network}).Exchange(question, server)
	if err != nil {
		t.Fatal(err)
	}
	records := make([]string, 0, len(answer.Answer))
	for _, rr := range answer.Answer {
		switch rr := rr.(type) {
		case *mdns.A:
			records = append(records, rr.A.String())
		case *mdns.PTR:
			records = append(records, rr.Ptr)
		}
	}
	return mdns.RcodeToString[answer.Rcode], records
}

func TestAResolverSpeaksForTheCloudAndAsksTheHostForOthers(t *testing.T) {
	upstream := serve(t, func(ctx context.Context, p net.PacketConn, l net.Listener) error {
		zone := func(_, name string) ([]netip.Addr, bool) {
			if name == "example.com" {
				return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, true
			}
			return nil, true
		}
		return dns.New(dns.Config{Zone: zone}).Serve(ctx, "", []net.PacketConn{p}, []net.Listener{l})
	})
	own := map[string]string{"vpc-1 ip-10-0-1-5.ec2.internal": "10.0.1.5", "vpc-2 ip-10-0-1-5.ec2.internal": "10.0.1.6"}
	for vpc, want := range map[string]string{"vpc-1": "10.0.1.5", "vpc-2": "10.0.1.6"} {
		r := dns.New(dns.Config{
			Zone: func(vpc, name string) ([]netip.Addr, bool) {
				addr, ok := own[vpc+" "+name]
				if !ok {
					return nil, filepath.Ext(name) == ".internal"
				}
				return []netip.Addr{netip.MustParseAddr(addr)}, true
			},
			Reverse: func(_ string, a netip.Addr) (string, bool) {
				return "ip-10-0-1-5.ec2.internal", a == netip.MustParseAddr("10.0.1.5")
			},
			Upstreams: func() ([]netip.AddrPort, error) { return []netip.AddrPort{netip.MustParseAddrPort(upstream)}, nil },
		})
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
				{"ip-10-0-1-9.ec2.internal", mdns.TypeA, "NXDOMAIN", nil},
				{"5.1.0.10.in-addr.arpa", mdns.TypePTR, "NOERROR", []string{"ip-10-0-1-5.ec2.internal."}},
				{"9.1.0.10.in-addr.arpa", mdns.TypePTR, "NXDOMAIN", nil},
				{"example.com", mdns.TypeA, "NOERROR", []string{"192.0.2.1"}},
				{"nowhere.example", mdns.TypeA, "NXDOMAIN", nil},
			} {
				code, records := ask(t, network, server, c.name, c.kind)
				if code != c.code || !slices.Equal(records, c.records) {
					t.Errorf("%s %s %s: %s %v, want %s %v", vpc, network, c.name, code, records, c.code, c.records)
				}
			}
		}
	}
}

func TestAResolverWithoutUpstreamsFailsAtOnce(t *testing.T) {
	r := dns.New(
		dns.Config{
			Zone:      func(_, _ string) ([]netip.Addr, bool) { return nil, false },
			Upstreams: func() ([]netip.AddrPort, error) { return nil, nil },
		},
	)
	server := serve(t, func(ctx context.Context, p net.PacketConn, l net.Listener) error {
		return r.Serve(ctx, "vpc-1", []net.PacketConn{p}, []net.Listener{l})
	})
	if code, _ := ask(t, "udp", server, "example.com", mdns.TypeA); code != "SERVFAIL" {
		t.Errorf("answers %s", code)
	}
}
