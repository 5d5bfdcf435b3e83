package dnsname_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/dnsname"
	"aloft.dev/aloft/internal/cloud/store"
)

// network returns a store with a VPC, an instance's interface, and two load
// balancers, each with a node in that VPC.
func network(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	err = s.Update(func(tx *store.Tx) error {
		store.VPCs.Put(tx, &store.VPC{
			ID: "vpc-1", Region: "eu-west-1", CIDR: netip.MustParsePrefix("10.0.0.0/16"),
			DNSSupport: true, DNSHostnames: true,
		})
		store.Subnets.Put(tx, &store.Subnet{
			ID: "subnet-1", Region: "eu-west-1", VPCID: "vpc-1", CIDR: netip.MustParsePrefix("10.0.1.0/24"),
		})
		for id, ips := range map[string][2]string{
			"eni-instance": {"10.0.1.5", "203.0.113.5"},
			"eni-public":   {"10.0.1.6", "203.0.113.6"},
			"eni-private":  {"10.0.1.7", ""},
		} {
			eni := &store.NetworkInterface{ID: id, Region: "eu-west-1", VPCID: "vpc-1", SubnetID: "subnet-1"}
			eni.PrivateIP = netip.MustParseAddr(ips[0])
			if ips[1] != "" {
				eni.PublicIP = netip.MustParseAddr(ips[1])
			}
			store.NetworkInterfaces.Put(tx, eni)
		}
		for name, eni := range map[string]string{"web.example": "eni-public", "internal-web.example": "eni-private"} {
			store.LoadBalancers.Put(tx, &store.LoadBalancer{
				ARN: name, Region: "eu-west-1", DNSName: name, Nodes: []store.Node{{InterfaceID: eni}},
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPrivateNamesDependOnTheRegion(t *testing.T) {
	addr := netip.MustParseAddr("10.0.1.5")
	for region, want := range map[string]string{
		"us-east-1": "ip-10-0-1-5.ec2.internal",
		"eu-west-1": "ip-10-0-1-5.eu-west-1.compute.internal",
	} {
		if got := dnsname.Private(region, addr); got != want {
			t.Errorf("%s: got %s, want %s", region, got, want)
		}
	}
}

func TestPublicNamesNeedDNSHostNames(t *testing.T) {
	s := network(t)
	addr := netip.MustParseAddr("203.0.113.5")
	want := "ec2-203-0-113-5.eu-west-1.compute.amazonaws.com"
	if got := dnsname.Public(s.View(), "vpc-1", addr); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := s.Update(func(tx *store.Tx) error {
		store.VPCs.Edit(tx, "vpc-1", func(vpc *store.VPC) { vpc.DNSHostnames = false })
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got := dnsname.Public(s.View(), "vpc-1", addr); got != "" {
		t.Errorf("without DNS host names: got %q", got)
	}
}

func TestLoadBalancerNames(t *testing.T) {
	for internal, want := range map[bool]string{
		false: "web-7.eu-west-1.elb.localhost",
		true:  "internal-web-7.eu-west-1.elb.localhost",
	} {
		if got := dnsname.LoadBalancer("web", 7, "eu-west-1", "elb.localhost", internal); got != want {
			t.Errorf("internal %v: got %s, want %s", internal, got, want)
		}
	}
}

func TestResolverReturnsAddressesAsMachinesSeeThem(t *testing.T) {
	r := dnsname.Resolver{Store: network(t)}
	for name, want := range map[string]string{
		"ip-10-0-1-5.eu-west-1.compute.internal": "10.0.1.5",
		"web.example":                            "203.0.113.6",
		"internal-web.example":                   "10.0.1.7",
	} {
		got, known := r.Addresses("vpc-1", name)
		if !known || !slices.Equal(got, []netip.Addr{netip.MustParseAddr(want)}) {
			t.Errorf("%s: got %v, %v; want %s", name, got, known, want)
		}
	}
	if got, known := r.Addresses("vpc-1", "ip-10-0-9-9.eu-west-1.compute.internal"); !known || len(got) != 0 {
		t.Errorf("an unused address of the VPC: got %v, %v; want none, known", got, known)
	}
	if _, known := r.Addresses("vpc-1", "example.com"); known {
		t.Error("example.com is known")
	}
}

func TestResourceNamesResolveAsTheirInstancesSay(t *testing.T) {
	s := network(t)
	v4, v6 := netip.MustParseAddr("10.0.1.5"), netip.MustParseAddr("2001:db8::5")
	const name = "i-1.eu-west-1.compute.internal"
	for _, names := range []store.ResourceNames{{}, {A: true}, {AAAA: true}, {A: true, AAAA: true, Hostname: true}} {
		if err := s.Update(func(tx *store.Tx) error {
			store.NetworkInterfaces.Edit(tx, "eni-instance", func(row *store.NetworkInterface) {
				row.IPv6 = []netip.Addr{v6}
			})
			store.Instances.Put(tx, &store.Instance{
				ID: "i-1", Region: "eu-west-1", VPCID: "vpc-1", InterfaceIDs: []string{"eni-instance"},
				ResourceNames: names,
			})
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		var want []netip.Addr
		if names.A {
			want = append(want, v4)
		}
		if names.AAAA {
			want = append(want, v6)
		}
		if got, known := (dnsname.Resolver{Store: s}).Addresses("vpc-1", name); !known || !slices.Equal(got, want) {
			t.Errorf("%+v: got %v, %v; want %v", names, got, known, want)
		}
		if got, _ := (dnsname.Resolver{Store: s}).Addresses("vpc-2", name); len(got) != 0 {
			t.Errorf("in another VPC: %v", got)
		}
		row, _ := store.Instances.Get(s.View(), "i-1")
		want1 := "ip-10-0-1-5.eu-west-1.compute.internal"
		if names.Hostname {
			want1 = name
		}
		if got := dnsname.PrivateOf(row, v4); got != want1 {
			t.Errorf("%+v: private name %s, want %s", names, got, want1)
		}
	}
}

func TestDualstackLoadBalancerResolvesToAddressesOfBothFamilies(t *testing.T) {
	s := network(t)
	v4, v6 := netip.MustParseAddr("203.0.113.6"), netip.MustParseAddr("2001:db8::6")
	if err := s.Update(func(tx *store.Tx) error {
		store.NetworkInterfaces.Edit(tx, "eni-public", func(row *store.NetworkInterface) {
			row.IPv6 = []netip.Addr{v6}
		})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	got, known := dnsname.Resolver{Store: s}.Addresses("vpc-1", "web.example")
	if !known || !slices.Equal(got, []netip.Addr{v4, v6}) {
		t.Errorf("got %v, %v", got, known)
	}
	if err := s.Update(func(tx *store.Tx) error {
		store.LoadBalancers.Edit(tx, "web.example", func(row *store.LoadBalancer) {
			row.IPAddressType = store.WithoutPublicIPv4
		})
		store.NetworkInterfaces.Edit(tx, "eni-public", func(row *store.NetworkInterface) {
			row.PublicIP = netip.Addr{}
		})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got, _ := (dnsname.Resolver{Store: s}).Addresses("vpc-1", "web.example"); !slices.Equal(got, []netip.Addr{v6}) {
		t.Errorf("without public IPv4 addresses: got %v", got)
	}
}

func TestResolverNamesAddressesOfTheVPCAlone(t *testing.T) {
	r := dnsname.Resolver{Store: network(t)}
	want := "ip-10-0-1-5.eu-west-1.compute.internal"
	if got, ok := r.Name("vpc-1", netip.MustParseAddr("10.0.1.5")); !ok || got != want {
		t.Errorf("got %q, %v; want %q", got, ok, want)
	}
	if got, ok := r.Name("vpc-1", netip.MustParseAddr("10.1.0.1")); ok {
		t.Errorf("an address outside the VPC: got %q", got)
	}
}

func TestEndpointNamesResolve(t *testing.T) {
	const regional = "vpce-1-ab.ec2.eu-west-1.vpce.amazonaws.com"
	s := network(t)
	put := func(change func(*store.VPCEndpoint), hostNames bool) {
		row := &store.VPCEndpoint{
			ID: "vpce-1", Region: "eu-west-1", VPCID: "vpc-1", Service: "com.amazonaws.eu-west-1.ec2",
			DNSName: regional, InterfaceIDs: []string{"eni-private", "eni-b"}, PrivateDNS: true,
			State: store.EndpointAvailable,
		}
		change(row)
		if err := s.Update(func(tx *store.Tx) error {
			store.VPCEndpoints.Put(tx, row)
			store.VPCs.Edit(tx, "vpc-1", func(vpc *store.VPC) { vpc.DNSHostnames = hostNames })
			store.NetworkInterfaces.Put(tx, &store.NetworkInterface{
				ID: "eni-b", Region: "eu-west-1", VPCID: "vpc-1", Zone: "eu-west-1b",
				PrivateIP: netip.MustParseAddr("10.0.2.7"),
			})
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	const zonal, service = "vpce-1-ab-eu-west-1b.ec2.eu-west-1.vpce.amazonaws.com", "ec2.eu-west-1.amazonaws.com"
	for _, c := range []struct {
		what      string
		change    func(*store.VPCEndpoint)
		hostNames bool
		vpc, name string
		want      string
	}{
		{"", func(*store.VPCEndpoint) {}, true, "vpc-1", regional, "[10.0.1.7 10.0.2.7] true"},
		{"", func(*store.VPCEndpoint) {}, true, "vpc-1", zonal, "[10.0.2.7] true"},
		{"", func(*store.VPCEndpoint) {}, true, "vpc-1", service, "[10.0.1.7 10.0.2.7] true"},
		{"in another VPC", func(*store.VPCEndpoint) {}, true, "vpc-2", regional, "[10.0.1.7 10.0.2.7] true"},
		{"in another VPC", func(*store.VPCEndpoint) {}, true, "vpc-2", service, "[] false"},
		{"no host names", func(*store.VPCEndpoint) {}, false, "vpc-1", service, "[] false"},
		{
			"no private DNS", func(row *store.VPCEndpoint) { row.PrivateDNS = false },
			true, "vpc-1", service, "[] false",
		},
		{
			"pending", func(row *store.VPCEndpoint) { row.State = store.EndpointPending },
			true, "vpc-1", regional, "[] false",
		},
		{"another service", func(*store.VPCEndpoint) {}, true, "vpc-1", "sts.eu-west-1.amazonaws.com", "[] false"},
	} {
		put(c.change, c.hostNames)
		addresses, known := dnsname.Resolver{Store: s}.Addresses(c.vpc, c.name)
		if got := fmt.Sprint(addresses, known); got != c.want {
			t.Errorf("%s %s: got %s, want %s", c.name, c.what, got, c.want)
		}
	}
}

func TestNodesThatFailedOverLeaveTheName(t *testing.T) {
	s := network(t)
	for _, c := range []struct{ first, second, want string }{
		{"", "", "10.0.1.7 10.0.1.5"},
		{"failed over", "", "10.0.1.5"},
		{"", "failed over", "10.0.1.7"},
		{"failed over", "failed over", "10.0.1.7 10.0.1.5"},
	} {
		if err := s.Update(func(tx *store.Tx) error {
			store.NetworkInterfaces.Edit(tx, "eni-instance", func(row *store.NetworkInterface) {
				row.PublicIP = netip.Addr{}
			})
			store.LoadBalancers.Edit(tx, "internal-web.example", func(row *store.LoadBalancer) {
				row.Nodes = []store.Node{
					{InterfaceID: "eni-private", FailedOver: c.first != ""},
					{InterfaceID: "eni-instance", FailedOver: c.second != ""},
				}
			})
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		addresses, _ := dnsname.Resolver{Store: s}.Addresses("vpc-1", "internal-web.example")
		if got := strings.Trim(fmt.Sprint(addresses), "[]"); got != c.want {
			t.Errorf("%q and %q: %s, want %s", c.first, c.second, got, c.want)
		}
	}
}
