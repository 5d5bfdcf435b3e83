//go:build linux

package firewall_test

import (
	"net/netip"
	"slices"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

func TestRouterReturnsRepliesToLoadBalancers(t *testing.T) {
	r := router()
	r.Subnets[0].ACL = &firewall.ACL{Ingress: []firewall.ACLRule{{Number: 1, Allow: true, Protocol: "-1", CIDR: world}}}
	r.Interfaces = []firewall.Interface{
		{
			ID: "eni-1", Device: "eni1", Mark: 0x10001, Private: netip.MustParseAddr("10.0.1.10"),
			SecurityGroups: []string{"sg-app"}, SourceCheck: true,
		},
		{
			ID: "eni-2", Device: "eni2", Mark: 0x10001, Private: netip.MustParseAddr("10.0.1.11"),
			SecurityGroups: []string{"sg-lb"}, Balances: true, ReturnMark: 0x20002,
		},
		{
			ID: "eni-3", Device: "eni3", Mark: 0x10001, Private: netip.MustParseAddr("10.0.1.12"),
			Balances: true, ReturnMark: 0x20003, Unfiltered: true,
		},
	}
	r.SecurityGroups = []firewall.SecurityGroup{
		{ID: "sg-app", Ingress: []firewall.Rule{
			{Protocol: "tcp", FromPort: 3000, ToPort: 3000, SecurityGroup: "sg-lb"},
		}},
		{ID: "sg-lb"},
	}
	checkGolden(t, "balanced", r.Ruleset("aloft"))
}

// backends returns targets in service.
func backends(addresses ...string) []firewall.Backend {
	var out []firewall.Backend
	for _, a := range addresses {
		out = append(out, firewall.Backend{At: netip.MustParseAddrPort(a)})
	}
	return out
}

func TestNodeForwardsToItsTargets(t *testing.T) {
	targets := backends("10.0.1.10:3000", "10.0.1.11:3000", "10.0.1.12:3000")
	targets[1].Flows, targets[2].Flows = firewall.Continue, firewall.End
	checkGolden(t, "balancer", firewall.Balancer{
		Address: netip.MustParseAddr("10.0.1.20"),
		Services: []firewall.Service{
			{Protocols: []string{"tcp"}, Port: 80, Preserve: true, Backends: targets},
			{Protocols: []string{"tcp", "udp"}, Port: 53, ByClient: true, Backends: targets[:1]},
			{Protocols: []string{"tcp"}, Port: 81, Backends: targets[1:]},
		},
	}.Ruleset("aloft"))
	checkGolden(t, "terminating", firewall.Balancer{
		Address:  netip.MustParseAddr("10.0.1.20"),
		Services: []firewall.Service{{Protocols: []string{"tcp"}, Port: 443, Terminates: true}},
	}.Ruleset("aloft"))
}

func TestFlowsEndWithTheirTargets(t *testing.T) {
	targets := backends("10.0.1.10:3000", "10.0.1.11:3000", "10.0.1.12:3000")
	targets[1].Flows, targets[2].Flows = firewall.Continue, firewall.End
	s := firewall.Service{Backends: targets}
	ends := func() (out []bool) {
		for _, at := range append(targets, backends("10.0.1.13:3000")...) {
			out = append(out, s.Ends(at.At))
		}
		return out
	}
	if got := ends(); !slices.Equal(got, []bool{false, false, true, false}) {
		t.Errorf("got %v", got)
	}
	s.EndOthers = true
	if got := ends(); !slices.Equal(got, []bool{false, false, true, true}) {
		t.Errorf("got %v of a service that ends the flows of deregistered targets", got)
	}
}
