//go:build linux

package dns

import (
	"context"
	"net/netip"
	"testing"

	"github.com/miekg/dns"
)

// FuzzQuery answers messages as they come from machines. Every one that is a message has an
// answer that can be sent.
func FuzzQuery(f *testing.F) {
	for _, name := range []string{
		"ip-10-0-1-5.ec2.internal.", "5.1.0.10.in-addr.arpa.", "1.2.in-addr.arpa.", "outside.example.", ".", "\\000.x.",
	} {
		for _, kind := range []uint16{dns.TypeA, dns.TypePTR, dns.TypeANY, dns.TypeOPT, dns.TypeAXFR} {
			query := new(dns.Msg).SetQuestion(name, kind)
			if kind == dns.TypeA {
				query.SetEdns0(4096, true)
			}
			packed, err := query.Pack()
			if err != nil {
				f.Fatal(err)
			}
			f.Add(packed)
		}
	}
	r := New(Config{
		Zone: func(_, name string) ([]netip.Addr, bool) {
			return []netip.Addr{netip.MustParseAddr("10.0.1.5")}, len(name)%2 == 0
		},
		Reverse:   func(_ string, a netip.Addr) (string, bool) { return "host.internal", a.Is4() },
		Upstreams: func() ([]netip.AddrPort, error) { return nil, nil },
	})
	f.Fuzz(func(t *testing.T, packet []byte) {
		query := new(dns.Msg)
		if err := query.Unpack(packet); err != nil {
			return
		}
		response := r.respond(context.Background(), "vpc-1", query, false)
		if response == nil || response.Id != query.Id || !response.Response {
			t.Fatalf("%x is answered with %v", packet, response)
		}
		if _, err := response.Pack(); err != nil {
			t.Errorf("the answer to %x cannot be sent: %v", packet, err)
		}
	})
}
