//go:build linux

package firewall_test

import (
	"net/netip"
	"path/filepath"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
	"aloft.dev/aloft/internal/golden"
)

// checkGolden compares a ruleset with the golden file testdata/NAME.nft.
func checkGolden(t *testing.T, name string, ruleset firewall.Ruleset) {
	t.Helper()
	golden.Check(t, filepath.Join("testdata", name+".nft"), ruleset.String())
}

var (
	world = netip.MustParsePrefix("0.0.0.0/0")
	vpc   = netip.MustParsePrefix("10.0.0.0/16")
)

func router() firewall.Router {
	return firewall.Router{
		CIDRs: []netip.Prefix{vpc}, Uplink: "igw", Resolver: true, Flows: 1000,
		Subnets: []firewall.Subnet{{ID: "subnet-a", Mark: 0x10001, CIDR: netip.MustParsePrefix("10.0.1.0/24")}},
	}
}

func TestRouterWithoutInterfacesDropsEverything(t *testing.T) {
	checkGolden(t, "empty", router().Ruleset("aloft"))
}

func TestRouterOfTheTutorial(t *testing.T) {
	r := router()
	r.Interfaces = []firewall.Interface{
		{
			ID:             "eni-1",
			Device:         "eni1",
			Mark:           0x10001,
			Private:        netip.MustParseAddr("10.0.1.10"),
			Public:         netip.MustParseAddr("198.18.1.10"),
			Secondary:      []firewall.Address{{Private: netip.MustParseAddr("10.0.1.12")}},
			SecurityGroups: []string{"sg-app"},
			SourceCheck:    true,
			Rate:           firewall.Rate{Baseline: 8_000_000, Burst: 4 << 20, Peak: 625_000_000, Packets: 20_000},
		},
		{
			ID:             "eni-2",
			Device:         "eni2",
			Mark:           0x10001,
			Private:        netip.MustParseAddr("10.0.1.11"),
			SecurityGroups: []string{"sg-lb", "sg-gone"},
			Cut:            true,
		},
	}
	r.Members = []firewall.Member{
		{Private: netip.MustParseAddr("10.0.1.10"), SecurityGroups: []string{"sg-app"}},
		{Private: netip.MustParseAddr("10.0.1.11"), SecurityGroups: []string{"sg-lb"}},
	}
	everything := []firewall.Rule{{Protocol: "-1", FromPort: -1, ToPort: -1, CIDR: world}}
	r.SecurityGroups = []firewall.SecurityGroup{
		{ID: "sg-app", Egress: everything, Ingress: []firewall.Rule{
			{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: netip.MustParsePrefix("192.0.2.7/32")},
			{Protocol: "tcp", FromPort: 3000, ToPort: 3000, SecurityGroup: "sg-lb"},
		}},
		{
			ID:      "sg-lb",
			Egress:  everything,
			Ingress: []firewall.Rule{{Protocol: "tcp", FromPort: 80, ToPort: 81, CIDR: world}},
		},
	}
	checkGolden(t, "tutorial", r.Ruleset("aloft"))
}

func TestRouterWhoseGatewayLeadsToAMachine(t *testing.T) {
	r := router()
	r.UplinkMark = 0x20002
	r.Interfaces = []firewall.Interface{
		{
			ID: "eni-1", Device: "eni1", Mark: 0x10001, Private: netip.MustParseAddr("10.0.1.10"),
			Public: netip.MustParseAddr("198.18.1.10"), Intercepted: true, SourceCheck: true,
		},
		{
			ID: "eni-2", Device: "eni2", Mark: 0x10001, Private: netip.MustParseAddr("10.0.2.10"),
			Public: netip.MustParseAddr("198.18.1.11"),
		},
	}
	checkGolden(t, "intercepted", r.Ruleset("aloft"))
}

func TestEveryProtocolOfRules(t *testing.T) {
	r := router()
	r.SecurityGroups = []firewall.SecurityGroup{{ID: "sg-kinds", Ingress: []firewall.Rule{
		{Protocol: "tcp", FromPort: 0, ToPort: 65535, CIDR: world},
		{Protocol: "udp", FromPort: 53, ToPort: 53, CIDR: world},
		{Protocol: "icmp", FromPort: -1, ToPort: -1, CIDR: world},
		{Protocol: "icmp", FromPort: 8, ToPort: -1, CIDR: world},
		{Protocol: "icmp", FromPort: 3, ToPort: 4, CIDR: world},
		{Protocol: "47", CIDR: netip.MustParsePrefix("10.0.0.0/8")},
		{Protocol: "-1", CIDR: netip.MustParsePrefix("::/0")}, // matches nothing in an IPv4 network
	}}}
	r.Subnets[0].ACL = &firewall.ACL{
		Ingress: []firewall.ACLRule{
			{Number: 200, Allow: true, Protocol: "-1", CIDR: world},
			{Number: 100, Protocol: "6", FromPort: 22, ToPort: 22, CIDR: netip.MustParsePrefix("192.0.2.0/24")},
		},
		Egress: []firewall.ACLRule{
			{Number: 100, Allow: true, Protocol: "17", FromPort: 1024, ToPort: 65535, CIDR: world},
		},
	}
	checkGolden(t, "kinds", r.Ruleset("aloft"))
}

func TestRouterOfIPv6(t *testing.T) {
	everywhere, vpc := netip.MustParsePrefix("::/0"), netip.MustParsePrefix("2001:db8:a1::/56")
	r := firewall.Router{
		Family: firewall.IPv6, CIDRs: []netip.Prefix{vpc}, Uplink: "igw", Flows: 1000,
		Subnets: []firewall.Subnet{{
			ID: "subnet-a", Mark: 0x10001, CIDR: netip.MustParsePrefix("2001:db8:a1:1::/64"),
			ACL: &firewall.ACL{Ingress: []firewall.ACLRule{
				{Number: 100, Allow: true, Protocol: "-1", CIDR: world},
				{Number: 101, Allow: true, Protocol: "58", FromPort: 128, ToPort: 0, CIDR: everywhere},
			}},
		}},
		Interfaces: []firewall.Interface{
			{
				ID: "eni-1", Device: "eni1", Mark: 0x10001, SecurityGroups: []string{"sg-app"}, SourceCheck: true,
				Private:   netip.MustParseAddr("2001:db8:a1:1::10"),
				Public:    netip.MustParseAddr("2001:db8:a1:1::10"),
				Secondary: []firewall.Address{{Private: netip.MustParseAddr("2001:db8:a1:1::11")}},
			},
			{ID: "eni-2", Device: "eni2", Mark: 0x10001, SecurityGroups: []string{"sg-app"}, SourceCheck: true},
		},
		Members: []firewall.Member{
			{Private: netip.MustParseAddr("10.0.1.10"), SecurityGroups: []string{"sg-app"}},
			{Private: netip.MustParseAddr("2001:db8:a1:1::10"), SecurityGroups: []string{"sg-app"}},
		},
		SecurityGroups: []firewall.SecurityGroup{{
			ID: "sg-app", Egress: []firewall.Rule{{Protocol: "-1", CIDR: everywhere}, {Protocol: "-1", CIDR: world}},
			Ingress: []firewall.Rule{
				{Protocol: "tcp", FromPort: 80, ToPort: 80, CIDR: netip.MustParsePrefix("2001:db8:b2::/48")},
				{Protocol: "-1", SecurityGroup: "sg-app"},
			},
		}},
	}
	checkGolden(t, "ipv6", r.Ruleset("aloft"))
}

func TestEdgeOfIPv6(t *testing.T) {
	edge := firewall.Edge{
		Family: firewall.IPv6, Flows: 1000, Host: "host", Public: netip.MustParsePrefix("2001:db8:a100::/40"),
		Listener:   netip.MustParseAddrPort("[2001:db8:a100::1]:15001"),
		Translated: netip.MustParsePrefix("64:ff9b::/96"),
		Refuse:     true,
	}
	checkGolden(t, "edge6", edge.Ruleset("aloft"))
}

func TestEdgeForwardsOnlyBetweenPublicAddresses(t *testing.T) {
	edge := firewall.Edge{
		Flows: 1000,
		Host:  "host", Public: netip.MustParsePrefix("198.18.0.0/15"), Proxies: netip.MustParseAddr("198.19.255.254"),
		Listener: netip.MustParseAddrPort("198.18.0.1:15001"), VPCs: []netip.Prefix{vpc},
	}
	checkGolden(t, "edge", edge.Ruleset("aloft"))
}

func TestTranslatorSharesFlowsAmongItsAddresses(t *testing.T) {
	checkGolden(t, "translator", firewall.Translator{
		Device: "ens5", CIDRs: []netip.Prefix{vpc},
		Sources: []netip.Addr{netip.MustParseAddr("10.0.1.5"), netip.MustParseAddr("10.0.1.6")},
	}.Ruleset("aloft"))
}
