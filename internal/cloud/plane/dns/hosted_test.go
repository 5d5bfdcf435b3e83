//go:build linux

package dns_test

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"testing"

	mdns "github.com/miekg/dns"

	"aloft.dev/aloft/internal/cloud/plane/admission"
	"aloft.dev/aloft/internal/cloud/plane/dns"
)

func TestResolverAnswersForHostedZonesAndFollowsCNAMEs(t *testing.T) {
	upstream := serve(t, func(ctx context.Context, p net.PacketConn, l net.Listener) error {
		r := resolver(dns.Names{Zone: func(_, name string) ([]netip.Addr, bool) {
			return []netip.Addr{netip.MustParseAddr("192.0.2.7")}, true
		}})
		return r.Serve(ctx, "", []net.PacketConn{p}, []net.Listener{l})
	})
	records := map[string][]string{
		"example.com A":      {". 60 IN A 192.0.2.1", ". 60 IN A 192.0.2.2"},
		"example.com MX":     {". 60 IN MX 10 mail.example.com."},
		"example.com TXT":    {`. 60 IN TXT "a b" "\228"`},
		"www.example.com A":  {". 60 IN CNAME example.com."},
		"out.example.com A":  {". 60 IN CNAME elsewhere.test."},
		"lb.example.com A":   {". 60 IN CNAME lb.cloud."},
		"loop.example.com A": {". 60 IN CNAME loop.example.com."},
	}
	r := resolver(dns.Names{
		Zone: func(_, name string) ([]netip.Addr, bool) {
			return []netip.Addr{netip.MustParseAddr("10.0.0.9")}, name == "lb.cloud"
		},
		Hosted: func(_, name, kind string) (dns.Answer, bool) {
			answer := dns.Answer{
				Records:   records[name+" "+kind],
				Exists:    name != "no.example.com",
				Authority: "example.com. 900 IN SOA ns. root. 1 7200 900 1209600 86400",
			}
			return answer, mdns.IsSubDomain("example.com.", name+".")
		},
	}, upstream)
	server := serve(t, func(ctx context.Context, p net.PacketConn, l net.Listener) error {
		return r.Serve(ctx, "vpc-1", []net.PacketConn{p}, []net.Listener{l})
	})
	for _, c := range []struct {
		name      string
		kind      uint16
		code      string
		records   []string
		authority int
	}{
		{"Example.com", mdns.TypeA, "NOERROR", []string{"A 192.0.2.1", "A 192.0.2.2"}, 0},
		{"example.com", mdns.TypeMX, "NOERROR", []string{"MX 10 mail.example.com."}, 0},
		{"example.com", mdns.TypeTXT, "NOERROR", []string{`TXT "a b" "\228"`}, 0},
		{"example.com", mdns.TypeAAAA, "NOERROR", nil, 1},
		{"no.example.com", mdns.TypeA, "NXDOMAIN", nil, 1},
		{"www.example.com", mdns.TypeA, "NOERROR", []string{"CNAME example.com.", "A 192.0.2.1", "A 192.0.2.2"}, 0},
		{"out.example.com", mdns.TypeA, "NOERROR", []string{"CNAME elsewhere.test.", "A 192.0.2.7"}, 0},
		{"lb.example.com", mdns.TypeA, "NOERROR", []string{"CNAME lb.cloud.", "A 10.0.0.9"}, 0},
		{"loop.example.com", mdns.TypeA, "SERVFAIL", nil, 0},
	} {
		request := new(mdns.Msg).SetQuestion(mdns.Fqdn(c.name), c.kind)
		response, _, err := new(mdns.Client).Exchange(request, server)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, rr := range response.Answer {
			got = append(got, mdns.TypeToString[rr.Header().Rrtype]+" "+rr.String()[len(rr.Header().String()):])
		}
		if code := mdns.RcodeToString[response.Rcode]; code != c.code || len(response.Ns) != c.authority ||
			c.code != "SERVFAIL" && !slices.Equal(got, c.records) {
			t.Errorf("%s %s: got %s %q and %d of authority, want %s %q and %d", c.name, mdns.TypeToString[c.kind],
				code, got, len(response.Ns), c.code, c.records, c.authority)
		}
	}
}

func TestAPrivateZoneHidesNamesOfTheCloud(t *testing.T) {
	names := dns.Names{
		Zone:    func(_, _ string) ([]netip.Addr, bool) { return []netip.Addr{netip.MustParseAddr("10.0.0.9")}, true },
		Reverse: func(string, netip.Addr) (string, bool) { return "ip-10-0-0-9.ec2.internal", true },
		Hosted: func(vpcID, _, kind string) (dns.Answer, bool) {
			records := []string{". 60 IN " + kind + " own."}
			return dns.Answer{Exists: true, Records: records, Private: vpcID == "vpc-1"}, true
		},
	}
	for _, c := range []struct{ vpc, name, kind, want string }{
		{"vpc-1", "web.ec2.internal", "CNAME", ". 60 IN CNAME own."},
		{"vpc-1", "9.0.0.10.in-addr.arpa", "PTR", ". 60 IN PTR own."},
		{"vpc-2", "web.ec2.internal", "A", ". 60 IN A 10.0.0.9"},
		{"vpc-2", "9.0.0.10.in-addr.arpa", "PTR", ". 60 IN PTR ip-10-0-0-9.ec2.internal."},
	} {
		answer, known := names.Find(admission.Source{VPC: c.vpc}, c.name, c.kind)
		if !known || !slices.Equal(answer.Records, []string{c.want}) {
			t.Errorf("%s %s in %s: got %q, %v; want %s", c.name, c.kind, c.vpc, answer.Records, known, c.want)
		}
	}
}
