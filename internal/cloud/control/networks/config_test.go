//go:build linux

package networks_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/cloud/bandwidth"
	"aloft.dev/aloft/internal/cloud/control/networks"
	"aloft.dev/aloft/internal/cloud/nat64"
	"aloft.dev/aloft/internal/cloud/plane/firewall"
	"aloft.dev/aloft/internal/cloud/plane/network"
	"aloft.dev/aloft/internal/cloud/store"
)

var comparePrefixes = cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })

var anywhere = netip.MustParsePrefix("0.0.0.0/0")

func namespace(id string) string { return "/ns/" + id }

// configOf returns the configuration of vpc-1 with the rows that put adds.
func configOf(t *testing.T, put func(tx *store.Tx)) network.VPC {
	t.Helper()
	s := open(t)
	addVPC(t, s, "vpc-1")
	if err := s.Update(func(tx *store.Tx) error { put(tx); return nil }); err != nil {
		t.Fatal(err)
	}
	return networks.Config(s.View(), namespace, bandwidth.Setting{}).VPCs[0]
}

func addSubnet(tx *store.Tx, id string) {
	store.Subnets.Put(tx, &store.Subnet{ID: id, Region: "r", VPCID: "vpc-1"})
}

func TestSubnetHasRoutesOfItsTableOrTheMainTable(t *testing.T) {
	local := netip.MustParsePrefix("10.0.0.0/16")
	table := func(id, gateway string, association store.RouteTableAssociation) *store.RouteTable {
		return &store.RouteTable{
			ID: id, Region: "r", VPCID: "vpc-1",
			Routes: []store.Route{
				{Destination: local, GatewayID: "local"}, {Destination: anywhere, GatewayID: gateway},
			},
			Associations: []store.RouteTableAssociation{association},
		}
	}
	vpc := configOf(t, func(tx *store.Tx) {
		store.InternetGateways.Put(tx, &store.InternetGateway{ID: "igw-1", Region: "r", VPCID: "vpc-1"})
		store.RouteTables.Put(tx, table("rtb-main", "igw-1", store.RouteTableAssociation{Main: true}))
		store.RouteTables.Put(tx, table("rtb-own", "igw-detached", store.RouteTableAssociation{SubnetID: "subnet-own"}))
		addSubnet(tx, "subnet-main")
		addSubnet(tx, "subnet-own")
	})
	if !vpc.Gateway {
		t.Error("the VPC has no gateway")
	}
	want := map[string]network.Target{"subnet-main": network.Gateway, "subnet-own": network.Blackhole}
	for _, subnet := range vpc.Subnets {
		routes := []network.Route{
			{Destination: local, Via: network.Local}, {Destination: anywhere, Via: want[subnet.ID]},
		}
		if diff := cmp.Diff(routes, subnet.Routes, comparePrefixes); diff != "" {
			t.Errorf("%s (-want +got)\n%s", subnet.ID, diff)
		}
	}
}

func TestGatewayHasRoutesOfItsTable(t *testing.T) {
	subnet, local := netip.MustParsePrefix("10.0.1.0/24"), netip.MustParsePrefix("10.0.0.0/16")
	vpc := configOf(t, func(tx *store.Tx) {
		addSubnet(tx, "subnet-1")
		store.InternetGateways.Put(tx, &store.InternetGateway{ID: "igw-1", Region: "r", VPCID: "vpc-1"})
		store.NetworkInterfaces.Put(tx, &store.NetworkInterface{
			ID: "eni-1", Region: "r", VPCID: "vpc-1", SubnetID: "subnet-1", PrivateIP: netip.MustParseAddr("10.0.0.5"),
		})
		store.RouteTables.Put(tx, &store.RouteTable{
			ID: "rtb-1", Region: "r", VPCID: "vpc-1", Associations: []store.RouteTableAssociation{{GatewayID: "igw-1"}},
			Routes: []store.Route{
				{Destination: local, GatewayID: "local"}, {Destination: subnet, InterfaceID: "eni-1"},
			},
		})
	})
	want := []network.Route{
		{Destination: local, Via: network.Local},
		{Destination: subnet, Via: network.ToInterface, Interface: "eni-1"},
	}
	if diff := cmp.Diff(want, vpc.Ingress, comparePrefixes); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := vpc.Subnets[0].Routes; len(got) > 0 {
		t.Errorf("the subnet has the gateway's routes: %v", got)
	}
}

func TestRouteLeadsToAnInterfaceThatExists(t *testing.T) {
	block := netip.MustParsePrefix
	vpc := configOf(t, func(tx *store.Tx) {
		addSubnet(tx, "subnet-1")
		store.Instances.Put(tx, &store.Instance{ID: "i-1", Region: "r", State: store.Running})
		store.NetworkInterfaces.Put(tx, &store.NetworkInterface{
			ID: "eni-1", Region: "r", VPCID: "vpc-1", SubnetID: "subnet-1", InstanceID: "i-1", DeviceIndex: 1,
			PrivateIP: netip.MustParseAddr("10.0.0.5"),
			Secondary: []store.InterfaceAddress{{
				Private: netip.MustParseAddr("10.0.0.6"), Public: netip.MustParseAddr("198.18.1.6"),
			}},
		})
		store.RouteTables.Put(tx, &store.RouteTable{
			ID: "rtb-1", Region: "r", VPCID: "vpc-1", Associations: []store.RouteTableAssociation{{Main: true}},
			Routes: []store.Route{
				{Destination: block("192.0.2.0/24"), InterfaceID: "eni-1"},
				{Destination: block("203.0.113.0/24"), InterfaceID: "eni-deleted"},
				{Destination: block("10.0.0.0/16"), InterfaceID: "eni-1", Origin: "CreateRouteTable"},
				{PrefixListID: "pl-1", InterfaceID: "eni-1"},
			},
		})
		store.PrefixLists.Put(tx, &store.PrefixList{
			ID: "pl-1", Region: "r",
			Versions: [][]store.PrefixListEntry{{{CIDR: block("10.0.0.0/24")}, {CIDR: block("198.51.100.0/24")}}},
		})
	})
	routes := []network.Route{
		{Destination: block("192.0.2.0/24"), Via: network.ToInterface, Interface: "eni-1"},
		{Destination: block("203.0.113.0/24"), Via: network.Blackhole},
		{Destination: block("10.0.0.0/16"), Via: network.ToInterface, Interface: "eni-1"},
		{Destination: block("198.51.100.0/24"), Via: network.ToInterface, Interface: "eni-1"},
	}
	if diff := cmp.Diff(routes, vpc.Subnets[0].Routes, comparePrefixes); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	secondary := firewall.Address{
		Private: netip.MustParseAddr("10.0.0.6"), Public: netip.MustParseAddr("198.18.1.6"),
	}
	if got := vpc.Interfaces[0]; got.Number != 1 || len(got.Secondary) != 1 || got.Secondary[0] != secondary {
		t.Errorf("the interface is %+v", got)
	}
}

func TestGatewaysCarryNothingToALoadBalancerThatDeniesIt(t *testing.T) {
	for _, denies := range []string{"true", "false"} {
		vpc := configOf(t, func(tx *store.Tx) {
			addSubnet(tx, "subnet-1")
			store.LoadBalancers.Put(tx, &store.LoadBalancer{
				ARN: "lb", Region: "r", Attributes: map[string]string{"ipv6.deny_all_igw_traffic": denies},
			})
			store.NetworkInterfaces.Put(tx, &store.NetworkInterface{
				ID: "eni-1", Region: "r", VPCID: "vpc-1", SubnetID: "subnet-1", LoadBalancerARN: "lb",
				IPv6: []netip.Addr{netip.MustParseAddr("2001:db8::1")},
			})
		})
		if got := vpc.Interfaces[0]; got.Inside6 != (denies == "true") || len(got.IPv6) != 1 {
			t.Errorf("%s: the interface is %+v", denies, got)
		}
	}
}

func TestACLThatAllowsEverythingIsLeftOut(t *testing.T) {
	allow := func(number int, egress bool) store.NetworkACLEntry {
		return store.NetworkACLEntry{Number: number, Egress: egress, Allow: true, Protocol: "-1", CIDR: anywhere}
	}
	deny := func(number int) store.NetworkACLEntry {
		return store.NetworkACLEntry{Number: number, Protocol: "6", FromPort: 22, ToPort: 22, CIDR: anywhere}
	}
	for _, c := range []struct {
		name    string
		entries []store.NetworkACLEntry
		want    []int // numbers of the ingress rules; nil: no ACL
	}{
		{"default", []store.NetworkACLEntry{allow(100, false), allow(100, true)}, nil},
		{"deny after allow", []store.NetworkACLEntry{deny(200), allow(100, false), allow(100, true)}, nil},
		{"deny before allow", []store.NetworkACLEntry{allow(100, false), deny(50), allow(100, true)}, []int{50, 100}},
		{"no egress", []store.NetworkACLEntry{allow(100, false)}, []int{100}},
	} {
		vpc := configOf(t, func(tx *store.Tx) {
			addSubnet(tx, "subnet-1")
			store.NetworkACLs.Put(tx, &store.NetworkACL{
				ID: "acl-1", Region: "r", VPCID: "vpc-1", Entries: c.entries,
				Associations: []store.NetworkACLAssociation{{SubnetID: "subnet-1"}},
			})
		})
		var got []int
		if acl := vpc.Subnets[0].ACL; acl != nil {
			for _, rule := range acl.Ingress {
				got = append(got, rule.Number)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.name, diff)
		}
	}
}

func TestRuleHasTheBlocksOfItsPrefixList(t *testing.T) {
	block := netip.MustParsePrefix
	vpc := configOf(t, func(tx *store.Tx) {
		store.PrefixLists.Put(tx, &store.PrefixList{ID: "pl-1", Region: "r", Versions: [][]store.PrefixListEntry{
			{{CIDR: block("203.0.113.0/24")}}, {{CIDR: block("192.0.2.0/24")}, {CIDR: block("198.51.100.0/24")}},
		}})
		store.PrefixLists.Put(tx, &store.PrefixList{
			ID: "pl-2", Region: "r", IPv6: true, Versions: [][]store.PrefixListEntry{{{CIDR: block("2001:db8::/32")}}},
		})
		store.SecurityGroups.Put(tx, &store.SecurityGroup{
			ID: "sg-1", Region: "r", VPCID: "vpc-1",
			Rules: []store.SecurityGroupRule{
				{Protocol: "tcp", FromPort: 80, ToPort: 80, PrefixListID: "pl-1"},
				{Protocol: "-1", PrefixListID: "pl-2"},
			},
		})
	})
	want := firewall.SecurityGroup{ID: "sg-1", Ingress: []firewall.Rule{
		{Protocol: "tcp", FromPort: 80, ToPort: 80, CIDR: block("192.0.2.0/24")},
		{Protocol: "tcp", FromPort: 80, ToPort: 80, CIDR: block("198.51.100.0/24")},
		{Protocol: "-1", CIDR: block("2001:db8::/32")},
	}}
	if diff := cmp.Diff(want, vpc.SecurityGroups[0], comparePrefixes); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestSecurityGroupHasRulesOfBothFamilies(t *testing.T) {
	vpc := configOf(t, func(tx *store.Tx) {
		store.SecurityGroups.Put(tx, &store.SecurityGroup{
			ID: "sg-1", Region: "r", VPCID: "vpc-1",
			Rules: []store.SecurityGroupRule{
				{Protocol: "tcp", FromPort: 80, ToPort: 80, CIDR: anywhere},
				{Protocol: "tcp", FromPort: 80, ToPort: 80, CIDR: netip.MustParsePrefix("::/0")},
				{Protocol: "-1", GroupID: "sg-2"},
				{Protocol: "-1", CIDR: anywhere, Egress: true},
			},
		})
	})
	want := firewall.SecurityGroup{
		ID: "sg-1",
		Ingress: []firewall.Rule{
			{Protocol: "tcp", FromPort: 80, ToPort: 80, CIDR: anywhere},
			{Protocol: "tcp", FromPort: 80, ToPort: 80, CIDR: netip.MustParsePrefix("::/0")},
			{Protocol: "-1", SecurityGroup: "sg-2"},
		},
		Egress: []firewall.Rule{{Protocol: "-1", CIDR: anywhere}},
	}
	if diff := cmp.Diff(want, vpc.SecurityGroups[0], comparePrefixes); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestVPCHasIPv6(t *testing.T) {
	vpcBlock, block := netip.MustParsePrefix("2001:db8:a1::/56"), netip.MustParsePrefix("2001:db8:a1:1::/64")
	everywhere, address := netip.MustParsePrefix("::/0"), netip.MustParseAddr("2001:db8:a1:1::10")
	entry := func(number int, egress, allow bool, block netip.Prefix) store.NetworkACLEntry {
		return store.NetworkACLEntry{Number: number, Egress: egress, Allow: allow, Protocol: "-1", CIDR: block}
	}
	both := func(allowIPv6 bool) []store.NetworkACLEntry {
		return []store.NetworkACLEntry{
			entry(100, true, true, anywhere), entry(100, false, true, anywhere),
			entry(101, true, allowIPv6, everywhere), entry(101, false, true, everywhere),
			entry(32768, true, false, everywhere), entry(32768, false, false, everywhere),
		}
	}
	for _, open := range []bool{true, false} {
		vpc := configOf(t, func(tx *store.Tx) {
			store.VPCs.Edit(tx, "vpc-1", func(row *store.VPC) {
				row.IPv6 = []store.CIDRAssociation{{ID: "vpc-cidr-assoc-1", CIDR: vpcBlock}}
			})
			store.EgressOnlyGateways.Put(tx, &store.EgressOnlyGateway{ID: "eigw-1", Region: "r", VPCID: "vpc-1"})
			store.Subnets.Put(tx, &store.Subnet{
				ID: "subnet-1", Region: "r", VPCID: "vpc-1", IPv6: store.CIDRAssociation{ID: "a", CIDR: block},
			})
			store.NetworkInterfaces.Put(tx, &store.NetworkInterface{
				ID: "eni-1", Region: "r", VPCID: "vpc-1", SubnetID: "subnet-1",
				PrivateIP: netip.MustParseAddr("10.0.0.5"),
				IPv6:      []netip.Addr{address},
			})
			store.NatGateways.Put(tx, &store.NatGateway{
				ID: "nat-1", Region: "r", VPCID: "vpc-1", State: store.NatAvailable, Connectivity: "public",
				InterfaceID: "eni-nat",
			})
			store.NetworkInterfaces.Put(tx, &store.NetworkInterface{
				ID: "eni-nat", Region: "r", VPCID: "vpc-1", SubnetID: "subnet-1", NatGatewayID: "nat-1",
				PrivateIP: netip.MustParseAddr("10.0.0.6"),
			})
			store.RouteTables.Put(tx, &store.RouteTable{
				ID: "rtb-1", Region: "r", VPCID: "vpc-1", Associations: []store.RouteTableAssociation{{Main: true}},
				Routes: []store.Route{
					{Destination: vpcBlock, GatewayID: "local"}, {Destination: everywhere, EgressOnlyID: "eigw-1"},
					{Destination: nat64.Prefix, NatGatewayID: "nat-1"},
				},
			})
			store.NetworkACLs.Put(tx, &store.NetworkACL{
				ID: "acl-1", Region: "r", VPCID: "vpc-1", Entries: both(open),
				Associations: []store.NetworkACLAssociation{{SubnetID: "subnet-1"}},
			})
		})
		want := []network.Route{
			{Destination: vpcBlock, Via: network.Local}, {Destination: everywhere, Via: network.EgressOnlyGateway},
			{Destination: nat64.Prefix, Via: network.NAT64},
		}
		if diff := cmp.Diff(want, vpc.Subnets[0].Routes, comparePrefixes); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if len(vpc.IPv6) != 1 || vpc.IPv6[0] != vpcBlock || !vpc.EgressOnly || vpc.Gateway ||
			vpc.Subnets[0].IPv6 != block || len(vpc.Interfaces[0].IPv6) != 1 || vpc.Interfaces[0].IPv6[0] != address {
			t.Errorf("got %+v", vpc)
		}
		if left := vpc.Subnets[0].ACL == nil; left != open {
			t.Errorf("allows everything: %v, left out: %v", open, left)
		}
	}
}

func TestInterfaceIsDisconnectedWhenItsMachineIsDownOrSkipsItsShutdown(t *testing.T) {
	for _, c := range []struct {
		state     string
		force, up bool
		namespace string
		cut       bool
	}{
		{store.Running, false, true, "/ns/i-1", false},
		{store.Stopping, false, true, "/ns/i-1", false},
		{store.Stopping, true, true, "/ns/i-1", true},
		{store.ShuttingDown, false, true, "/ns/i-1", false},
		{store.ShuttingDown, false, false, "/ns/i-1", true},
		{store.ShuttingDown, true, true, "/ns/i-1", true},
		{store.Stopped, false, false, "", false},
		{store.Terminated, false, false, "", false},
	} {
		vpc := configOf(t, func(tx *store.Tx) {
			addSubnet(tx, "subnet-1")
			store.Instances.Put(tx, &store.Instance{
				ID: "i-1", Region: "r", State: c.state, Force: c.force, Reachable: c.up,
			})
			store.NetworkInterfaces.Put(tx, &store.NetworkInterface{
				ID: "eni-1", Region: "r", VPCID: "vpc-1", SubnetID: "subnet-1", InstanceID: "i-1",
			})
		})
		if nic := vpc.Interfaces[0]; nic.Namespace != c.namespace || nic.Cut != c.cut {
			t.Errorf("%+v: namespace %q, disconnected %t", c, nic.Namespace, nic.Cut)
		}
	}
}

func TestInterfaceHasTheRateOfItsInstanceTypeUnlessAnotherIsSet(t *testing.T) {
	s := open(t)
	addVPC(t, s, "vpc-1")
	if err := s.Update(func(tx *store.Tx) error {
		addSubnet(tx, "subnet-1")
		store.Instances.Put(tx, &store.Instance{ID: "i-1", Region: "r", Type: "t3.micro", State: store.Running})
		store.NetworkInterfaces.Put(tx, &store.NetworkInterface{
			ID: "eni-1", Region: "r", VPCID: "vpc-1", SubnetID: "subnet-1", InstanceID: "i-1",
		})
		store.NetworkInterfaces.Put(tx, &store.NetworkInterface{
			ID: "eni-2", Region: "r", VPCID: "vpc-1", SubnetID: "subnet-1", Type: "load_balancer",
		})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]firewall.Rate{
		"type":      {Baseline: 8_000_000, Burst: 1<<32 - 1, Peak: 625_000_000, Packets: 20_000},
		"80Mbps":    {Baseline: 10_000_000, Burst: 1_000_000, Packets: 20_000},
		"unlimited": {},
	} {
		limit, err := bandwidth.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		interfaces := networks.Config(s.View(), namespace, limit).VPCs[0].Interfaces
		if got := interfaces[0].Rate; got != want {
			t.Errorf("%s: a machine has the rate %+v, want %+v", text, got, want)
		}
		if got := interfaces[1].Rate; got != (firewall.Rate{}) {
			t.Errorf("%s: a load balancer has the rate %+v", text, got)
		}
	}
}
