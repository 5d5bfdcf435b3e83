//go:build linux

package dns_test

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"testing"

	mdns "github.com/miekg/dns"

	"aloft.dev/aloft/internal/cloud/plane/dns"
)

func TestNamesOutsideWithoutIPv6AddressesGetThoseOfIPv4Addresses(t *testing.T) {
	records := map[string]string{
		"old.example A": ". 60 IN A 192.0.2.33", "new.example A": ". 60 IN A 192.0.2.1",
		"new.example AAAA": ". 60 IN AAAA 2001:db8::1", "alias.example AAAA": ". 60 IN CNAME old.example.",
		"alias.example A": ". 60 IN CNAME old.example.",
	}
	upstream := serve(t, func(ctx context.Context, p net.PacketConn, l net.Listener) error {
		names := dns.Names{
			Zone: func(_, _ string) ([]netip.Addr, bool) { return nil, false },
			Hosted: func(_, name, kind string) (dns.Answer, bool) {
				answer := dns.Answer{Exists: name != "nowhere.example"}
				if record, ok := records[name+" "+kind]; ok {
					answer.Records = []string{record}
				}
				return answer, true
			},
		}
		return resolver(names).Serve(ctx, "", []net.PacketConn{p}, []net.Listener{l})
	})
	for _, dns64 := range []bool{true, false} {
		r := resolver(dns.Names{
			Zone: func(_, name string) ([]netip.Addr, bool) {
				return []netip.Addr{netip.MustParseAddr("10.0.1.5")}, name == "ip-10-0-1-5.ec2.internal"
			},
			Synthesizes: func(vpcID string, machine netip.Addr) bool {
				return dns64 && vpcID == "vpc-1" && machine == netip.MustParseAddr("127.0.0.1")
			},
		}, upstream)
		server := serve(t, func(ctx context.Context, p net.PacketConn, l net.Listener) error {
			return r.Serve(ctx, "vpc-1", []net.PacketConn{p}, []net.Listener{l})
		})
		for _, c := range []struct {
			name      string
			code      string
			addresses []string
			made      bool // only with DNS64
		}{
			{"old.example", "NOERROR", []string{"64:ff9b::c000:221"}, true},
			{"alias.example", "NOERROR", []string{"64:ff9b::c000:221"}, true},
			{"new.example", "NOERROR", []string{"2001:db8::1"}, false},
			{"nowhere.example", "NXDOMAIN", nil, false},
			{"ip-10-0-1-5.ec2.internal", "NOERROR", nil, false},
		} {
			want := c.addresses
			if c.made && !dns64 {
				want = nil
			}
			if code, got := query(t, "udp", server, c.name, mdns.TypeAAAA); code != c.code || !slices.Equal(got, want) {
				t.Errorf("DNS64 %v: %s has %s %v, want %s %v", dns64, c.name, code, got, c.code, want)
			}
		}
	}
}
