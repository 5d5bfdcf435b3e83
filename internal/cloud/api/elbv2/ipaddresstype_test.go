package elbv2_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

const (
	dualstack  = types.IpAddressTypeDualstack
	withoutV4  = types.IpAddressTypeDualstackWithoutPublicIpv4
	noIPv6Text = "You must specify subnets with an associated IPv6 CIDR block."
)

// giveIPv6 gives the first VPC and its first subnets of zones a and b IPv6 addresses.
func (w *world) giveIPv6() {
	w.t.Helper()
	w.change(func(tx *store.Tx) {
		store.VPCs.Edit(tx, "vpc-1", func(row *store.VPC) {
			row.IPv6 = []store.CIDRAssociation{{ID: "v", CIDR: netip.MustParsePrefix("2001:db8:a100:100::/56")}}
		})
		for id, block := range map[string]string{
			"subnet-a": "2001:db8:a100:101::/64", "subnet-b": "2001:db8:a100:102::/64",
		} {
			store.Subnets.Edit(tx, id, func(row *store.Subnet) {
				row.IPv6 = store.CIDRAssociation{ID: id, CIDR: netip.MustParsePrefix(block)}
			})
		}
	})
}

// nodes6 returns the IPv6 addresses of the load balancer's nodes, and checks that those of a node
// are in its subnet.
func (w *world) nodes6(arn string) (all []netip.Addr) {
	w.t.Helper()
	view := w.store.View()
	lb, _ := store.LoadBalancers.Get(view, arn)
	for _, n := range lb.Nodes {
		nic, _ := store.NetworkInterfaces.Get(view, n.InterfaceID)
		subnet, _ := store.Subnets.Get(view, n.SubnetID)
		for _, address := range nic.IPv6 {
			if !subnet.IPv6.CIDR.Contains(address) {
				w.t.Errorf("the node in %s has the address %s", subnet.IPv6.CIDR, address)
			}
		}
		all = append(all, nic.IPv6...)
	}
	return all
}

// public returns the public IPv4 addresses of the load balancer's nodes.
func (w *world) public(arn string) (all []netip.Addr) {
	w.t.Helper()
	view := w.store.View()
	lb, _ := store.LoadBalancers.Get(view, arn)
	for _, n := range lb.Nodes {
		if nic, _ := store.NetworkInterfaces.Get(view, n.InterfaceID); nic.PublicIP.IsValid() {
			all = append(all, nic.PublicIP)
		}
	}
	return all
}

func TestDualstackLoadBalancerHasAnIPv6AddressInEachSubnet(t *testing.T) {
	w := newWorld(t)
	in := webBalancer()
	in.Subnets, in.IpAddressType = []string{"subnet-a", "subnet-b"}, dualstack
	_, err := w.CreateLoadBalancer(w.ctx, in)
	wantError(t, err, "ValidationError", noIPv6Text)
	w.giveIPv6()
	lb := must(w.CreateLoadBalancer(w.ctx, in))(t).LoadBalancers[0]
	if n := w.nodes6(*lb.LoadBalancerArn); lb.IpAddressType != dualstack || len(n) != 2 {
		t.Errorf("type %s, addresses %v", lb.IpAddressType, n)
	}
	must(w.CreateLoadBalancer(w.ctx, in))(t)
	in.IpAddressType = ""
	_, err = w.CreateLoadBalancer(w.ctx, in)
	wantError(t, err, "DuplicateLoadBalancerName", "different settings")

	in.IpAddressType = "ipv6"
	_, err = w.CreateLoadBalancer(w.ctx, in)
	wantError(t, err, "ValidationError", "ipAddressType")
	in.IpAddressType, in.Scheme = withoutV4, types.LoadBalancerSchemeEnumInternal
	_, err = w.CreateLoadBalancer(w.ctx, in)
	wantError(t, err, "InvalidConfigurationRequest", "only supported for internet-facing load balancers")
	in.Name, in.Scheme = new("six"), types.LoadBalancerSchemeEnumInternetFacing
	lb = must(w.CreateLoadBalancer(w.ctx, in))(t).LoadBalancers[0]
	if n, public := w.nodes6(*lb.LoadBalancerArn), w.public(*lb.LoadBalancerArn); len(n) != 2 || len(public) > 0 {
		t.Errorf("the addresses are %v, and public %v", n, public)
	}
}

func TestDualstackNetworkLoadBalancer(t *testing.T) {
	w := newWorld(t)
	w.giveIPv6()
	at := func(a, b string) (out []types.SubnetMapping) {
		for subnet, address := range map[string]string{"subnet-a": a, "subnet-b": b} {
			m := types.SubnetMapping{SubnetId: &subnet}
			if address != "" {
				m.IPv6Address = &address
			}
			out = append(out, m)
		}
		return out
	}
	const a6, b6 = "2001:db8:a100:101::7", "2001:db8:a100:102::7"
	in := &elb.CreateLoadBalancerInput{
		Name: new("net"), Type: types.LoadBalancerTypeEnumNetwork, SubnetMappings: at(a6, ""),
	}
	refused := func(code, phrase string) {
		t.Helper()
		_, err := w.CreateLoadBalancer(w.ctx, in)
		wantError(t, err, code, phrase)
	}
	refused("InvalidConfigurationRequest", "only for a dualstack load balancer")
	in.IpAddressType = withoutV4
	refused("InvalidConfigurationRequest", "only supported for Application Load Balancers")
	in.IpAddressType, in.SubnetMappings = dualstack, at("10.0.1.9", "")
	refused("ValidationError", "is not a valid IPv6 address")
	in.SubnetMappings = at(b6, "")
	refused("InvalidSubnet", "Cannot place a load balancer in subnet-a")
	in.SubnetMappings = at(a6, "")
	lb := must(w.CreateLoadBalancer(w.ctx, in))(t).LoadBalancers[0]
	addresses := func() (out []string) {
		view := must(w.DescribeLoadBalancers(w.ctx, &elb.DescribeLoadBalancersInput{}))(t).LoadBalancers[0]
		for _, zone := range view.AvailabilityZones {
			for _, address := range zone.LoadBalancerAddresses {
				out = append(out, *address.IPv6Address)
			}
		}
		return out
	}
	if got := addresses(); !slices.Equal(got, []string{a6}) || len(w.nodes6(*lb.LoadBalancerArn)) != 2 {
		t.Errorf("the addresses are %v and %v", got, w.nodes6(*lb.LoadBalancerArn))
	}
	must(w.CreateLoadBalancer(w.ctx, in))(t)
	in.SubnetMappings = at("", "")
	refused("DuplicateLoadBalancerName", "different settings")

	group := func(protocol types.ProtocolEnum, kind types.TargetTypeEnum) *elb.CreateTargetGroupInput {
		return &elb.CreateTargetGroupInput{
			Name: new(strings.ToLower(strings.ReplaceAll(string(protocol), "_", "")) + "-" + string(kind)),
			Port: new(int32(3000)), Protocol: protocol, VpcId: new("vpc-1"), TargetType: kind,
			IpAddressType: types.TargetGroupIpAddressTypeEnumIpv6,
		}
	}
	_, err := w.CreateTargetGroup(w.ctx, group(types.ProtocolEnumUdp, "ip"))
	wantError(t, err, "NotImplemented", "protocol UDP of IP address type ipv6")
	_, err = w.CreateTargetGroup(w.ctx, group(types.ProtocolEnumTcp, "alb"))
	wantError(t, err, "InvalidConfigurationRequest", "not supported for the target type 'alb'")
	six := must(w.CreateTargetGroup(w.ctx, group(types.ProtocolEnumTcp, "ip")))(t).TargetGroups[0]
	listener := &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Port: new(int32(80)), Protocol: types.ProtocolEnumTcpUdp,
		DefaultActions: forward(*six.TargetGroupArn),
	}
	_, err = w.CreateListener(w.ctx, listener)
	wantError(t, err, "NotImplemented", "TCP_UDP listeners of load balancers of IP address type dualstack")
	listener.Protocol = types.ProtocolEnumTcp
	created := must(w.CreateListener(w.ctx, listener))(t).Listeners[0]

	set := func(to types.IpAddressType) error {
		_, err := w.SetIpAddressType(
			w.ctx, &elb.SetIpAddressTypeInput{LoadBalancerArn: lb.LoadBalancerArn, IpAddressType: to},
		)
		return err
	}
	wantError(t, set("ipv4"), "InvalidConfigurationRequest", "You cannot associate an IPv6 target group")
	four := group(types.ProtocolEnumUdp, "instance")
	four.IpAddressType = ""
	must(w.DeleteListener(w.ctx, &elb.DeleteListenerInput{ListenerArn: created.ListenerArn}))(t)
	if err := set("ipv4"); err != nil || len(w.nodes6(*lb.LoadBalancerArn)) > 0 || len(addresses()) > 0 {
		t.Errorf("%v, with the addresses %v", err, w.nodes6(*lb.LoadBalancerArn))
	}
	listener.Protocol = types.ProtocolEnumUdp
	listener.DefaultActions = forward(*must(w.CreateTargetGroup(w.ctx, four))(t).TargetGroups[0].TargetGroupArn)
	created = must(w.CreateListener(w.ctx, listener))(t).Listeners[0]
	wantError(t, set(dualstack), "NotImplemented", "UDP listeners")
	must(w.DeleteListener(w.ctx, &elb.DeleteListenerInput{ListenerArn: created.ListenerArn}))(t)
	must(w.SetSubnets(w.ctx, &elb.SetSubnetsInput{
		LoadBalancerArn: lb.LoadBalancerArn, IpAddressType: dualstack, SubnetMappings: at(a6, b6),
	}))(t)
	if got := addresses(); !slices.Equal(got, []string{a6, b6}) {
		t.Errorf("the addresses are %v", got)
	}
}

func TestIPAddressTypeChangesBothWays(t *testing.T) {
	w := newWorld(t)
	in := webBalancer()
	in.Subnets = in.Subnets[:2]
	arn := *must(w.CreateLoadBalancer(w.ctx, in))(t).LoadBalancers[0].LoadBalancerArn
	set := func(to types.IpAddressType) error {
		out, err := w.SetIpAddressType(w.ctx, &elb.SetIpAddressTypeInput{LoadBalancerArn: &arn, IpAddressType: to})
		if err == nil && out.IpAddressType != to {
			t.Errorf("the answer is %s, want %s", out.IpAddressType, to)
		}
		return err
	}
	subnets := func(to types.IpAddressType, ids ...string) error {
		_, err := w.SetSubnets(w.ctx, &elb.SetSubnetsInput{LoadBalancerArn: &arn, Subnets: ids, IpAddressType: to})
		return err
	}
	wantError(t, set(dualstack), "ValidationError", noIPv6Text)
	if n := w.nodes6(arn); len(n) > 0 {
		t.Errorf("a refused change leaves %v", n)
	}
	w.giveIPv6()
	wantError(t, set(""), "ValidationError", "ipAddressType")
	if err := set(dualstack); err != nil {
		t.Fatal(err)
	}
	before := w.nodes6(arn)
	if err := set(dualstack); err != nil || len(before) != 2 || w.nodes6(arn)[0] != before[0] {
		t.Errorf("%v became %v: %v", before, w.nodes6(arn), err)
	}
	wantError(t, subnets("", "subnet-a", "subnet-c"), "ValidationError", noIPv6Text)
	if err := subnets("ipv4", "subnet-a", "subnet-c"); err != nil || len(w.nodes6(arn)) > 0 {
		t.Errorf("with IPv4 alone, the addresses are %v: %v", w.nodes6(arn), err)
	}
	if err := subnets(dualstack, "subnet-a", "subnet-b"); err != nil || len(w.nodes6(arn)) != 2 {
		t.Errorf("the addresses are %v: %v", w.nodes6(arn), err)
	}
	public := w.public(arn)
	if err := set(withoutV4); err != nil || len(public) != 2 || len(w.public(arn)) > 0 || len(w.nodes6(arn)) != 2 {
		t.Errorf("the public addresses %v became %v: %v", public, w.public(arn), err)
	}
	if err := set(dualstack); err != nil || len(w.public(arn)) != 2 {
		t.Errorf("the public addresses are %v: %v", w.public(arn), err)
	}
	if err := set("ipv4"); err != nil || len(w.nodes6(arn)) > 0 {
		t.Errorf("with IPv4 alone, the addresses are %v: %v", w.nodes6(arn), err)
	}
}

func TestTargetGroupsOfIPv6NeedADualstackLoadBalancer(t *testing.T) {
	w := newWorld(t)
	w.giveIPv6()
	in := webGroup()
	in.IpAddressType = types.TargetGroupIpAddressTypeEnumIpv6
	group := must(w.CreateTargetGroup(w.ctx, in))(t).TargetGroups[0]
	if group.IpAddressType != in.IpAddressType {
		t.Errorf("the type is %s", group.IpAddressType)
	}
	in.IpAddressType = "ipv4"
	_, err := w.CreateTargetGroup(w.ctx, in)
	wantError(t, err, "DuplicateTargetGroupName", "different settings")
	in.IpAddressType = "dualstack"
	_, err = w.CreateTargetGroup(w.ctx, in)
	wantError(t, err, "ValidationError", "ipAddressType")
	create := webBalancer()
	create.Subnets = create.Subnets[:2]
	lb := must(w.CreateLoadBalancer(w.ctx, create))(t).LoadBalancers[0]
	listener := &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Port: new(int32(80)), Protocol: types.ProtocolEnumHttp,
		DefaultActions: forward(*group.TargetGroupArn),
	}
	const refusal = "You cannot associate an IPv6 target group with a load balancer that has an 'ipv4' IP address type"
	_, err = w.CreateListener(w.ctx, listener)
	wantError(t, err, "InvalidConfigurationRequest", refusal)
	set := &elb.SetIpAddressTypeInput{LoadBalancerArn: lb.LoadBalancerArn, IpAddressType: dualstack}
	must(w.SetIpAddressType(w.ctx, set))(t)
	must(w.CreateListener(w.ctx, listener))(t)
	set.IpAddressType = "ipv4"
	_, err = w.SetIpAddressType(w.ctx, set)
	wantError(t, err, "InvalidConfigurationRequest", refusal)
}

func TestTargetsOfIPv6(t *testing.T) {
	w := newWorld(t)
	w.giveIPv6()
	w.change(func(tx *store.Tx) {
		for id, primary := range map[string]bool{"i-1": true, "i-2": false} {
			store.NetworkInterfaces.Put(tx, &store.NetworkInterface{
				ID: "eni-" + id, Region: testRegion, VPCID: "vpc-1", SubnetID: "subnet-a", InstanceID: id,
				PrivateIP: netip.MustParseAddr("10.0.1.10"), PrimaryIPv6: primary,
				IPv6: []netip.Addr{netip.MustParseAddr("2001:db8:a100:101::10")},
			})
		}
	})
	create := func(name string, kind types.TargetTypeEnum) types.TargetGroup {
		in := webGroup()
		in.Name, in.TargetType, in.IpAddressType = &name, kind, types.TargetGroupIpAddressTypeEnumIpv6
		return must(w.CreateTargetGroup(w.ctx, in))(t).TargetGroups[0]
	}
	instances, addresses := create("instances", "instance"), create("addresses", "ip")
	w.register(instances, "i-1")
	w.register(addresses, "2001:db8:a100:102::10")
	if row, ok := store.Targets.Get(w.store.View(), *addresses.TargetGroupArn+"|2001:db8:a100:102::10|3000"); !ok ||
		row.Zone != testRegion+"b" {
		t.Errorf("the target is %+v", row)
	}
	for _, c := range []struct {
		group            types.TargetGroup
		id, code, phrase string
	}{
		{instances, "i-2", "InvalidTarget", "because of missing primary IPv6 addresses: i-2"},
		{addresses, "10.0.1.10", "ValidationError", "The IP address '10.0.1.10' is not a valid IPv6 address"},
		{addresses, "::ffff:10.0.1.10", "ValidationError", "is not a valid IPv6 address"},
		{addresses, "2001:db8:a100:900::1", "InvalidTarget", "not within a range"},
	} {
		_, err := w.RegisterTargets(
			w.ctx, &elb.RegisterTargetsInput{TargetGroupArn: c.group.TargetGroupArn, Targets: targets(c.id)},
		)
		wantError(t, err, c.code, c.phrase)
	}
}
