//go:build linux

package front

import (
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
)

func TestAliasesLeadToTheirLoadBalancer(t *testing.T) {
	first, second := &route{}, &route{}
	r := routes{80: {"a.elb.localhost": first, "b.elb.localhost": second}, 443: {"b.elb.localhost": second}}
	r.addAliases(balancer.LoadBalancer{
		DNSName: "A.elb.localhost", Aliases: []string{"example.com", "*.example.com", "b.elb.localhost"},
	})
	r.addAliases(balancer.LoadBalancer{DNSName: "b.elb.localhost", Aliases: []string{"*.api.example.com"}})
	for name, want := range map[string]*route{
		"example.com": first, "www.example.com": first, "x.y.example.com": first, "x.api.example.com": second,
		"b.elb.localhost": second, "example.org": nil, "": nil,
	} {
		if got := r[80].find(name); got != want {
			t.Errorf("%q leads to %p, want %p", name, got, want)
		}
	}
	if r[443].forTLS("example.com") != nil || r[443].forTLS("x.api.example.com") != second {
		t.Error("an alias leads to a port that its load balancer lacks, or not to one that it has")
	}
}
