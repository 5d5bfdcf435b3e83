package ec2

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// vpc6 returns the id of a VPC with IPv6, and its block of IPv6 addresses.
func (c *cloud) vpc6(cidr string) (string, netip.Prefix) {
	c.t.Helper()
	created := do(c, c.CreateVpc, &ec2.CreateVpcInput{
		CidrBlock: &cidr, AmazonProvidedIpv6CidrBlock: aws.Bool(true),
	}).Vpc
	return *created.VpcId, netip.MustParsePrefix(*created.Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock)
}

// block64 returns a block of 64 bits of a VPC's by its number.
func block64(vpc netip.Prefix, number byte) netip.Prefix {
	b := vpc.Addr().As16()
	b[7] = number
	return netip.PrefixFrom(netip.AddrFrom16(b), 64)
}

// subnet6 returns the id of a subnet with IPv6.
func (c *cloud) subnet6(vpc, cidr string, block netip.Prefix) string {
	c.t.Helper()
	return *do(c, c.CreateSubnet, &ec2.CreateSubnetInput{
		VpcId: &vpc, CidrBlock: &cidr, Ipv6CidrBlock: aws.String(block.String()),
	}).Subnet.SubnetId
}

func nth(block netip.Prefix, n byte) string {
	b := block.Addr().As16()
	b[15] = n
	return netip.AddrFrom16(b).String()
}

func TestAVPCGetsABlockOfIPv6AddressesOfItsOwn(t *testing.T) {
	c := newCloud(t)
	vpc, block := c.vpc6("10.0.0.0/16")
	_, other := c.vpc6("10.0.0.0/16")
	if block.Bits() != 56 || block == other || !c.IPv6Range.Contains(block.Addr()) {
		t.Errorf("blocks %s and %s", block, other)
	}
	found := do(c, c.DescribeVpcs, &ec2.DescribeVpcsInput{Filters: []types.Filter{
		filter("ipv6-cidr-block-association.ipv6-cidr-block", block.String()),
		filter("ipv6-cidr-block-association.state", "associated"),
	}}).Vpcs
	if len(found) != 1 || *found[0].VpcId != vpc {
		t.Fatalf("found %+v", found)
	}
	first := found[0].Ipv6CidrBlockAssociationSet[0]
	if first.Ipv6CidrBlockState.State != types.VpcCidrBlockStateCodeAssociated || *first.Ipv6Pool != "Amazon" ||
		*first.NetworkBorderGroup != home {
		t.Errorf("association %+v", first)
	}
	tables := do(c, c.DescribeRouteTables, &ec2.DescribeRouteTablesInput{Filters: []types.Filter{
		filter("vpc-id", vpc), filter("route.destination-ipv6-cidr-block", block.String()),
	}}).RouteTables
	if len(tables) != 1 || *tables[0].Routes[1].GatewayId != localGateway {
		t.Errorf("route tables %+v", tables)
	}

	remove := &ec2.DisassociateVpcCidrBlockInput{AssociationId: first.AssociationId}
	subnet := c.subnet6(vpc, "10.0.1.0/24", block64(block, 1))
	wantError(c, c.DisassociateVpcCidrBlock, remove,
		"InvalidCidrBlock.InUse: The vpc "+vpc+" currently has a subnet within CIDR block "+block.String())
	do(c, c.DeleteSubnet, &ec2.DeleteSubnetInput{SubnetId: &subnet})
	do(c, c.DisassociateVpcCidrBlock, remove)
	if got := do(c, c.DescribeVpcs, &ec2.DescribeVpcsInput{VpcIds: []string{vpc}}).Vpcs[0]; len(
		got.Ipv6CidrBlockAssociationSet) != 1 || got.Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlockState.State !=
		types.VpcCidrBlockStateCodeDisassociated {
		t.Errorf("after the disassociation: %+v", got.Ipv6CidrBlockAssociationSet)
	}
	c.IPv6Range = netip.Prefix{}
	_, err := c.AssociateVpcCidrBlock(c.ctx, &ec2.AssociateVpcCidrBlockInput{
		VpcId: &vpc, AmazonProvidedIpv6CidrBlock: aws.Bool(true),
	})
	if code(err) != "UnsupportedOperation" {
		t.Errorf("on a host without IPv6: %v", err)
	}
}

func TestDefaultRulesAllowIPv6UnlessTheUserChangedThem(t *testing.T) {
	c := newCloud(t)
	vpc, changed := c.vpc("10.0.0.0/16"), c.vpc("10.0.0.0/16")
	for _, egress := range []bool{true, false} {
		acl := do(c, c.DescribeNetworkAcls, &ec2.DescribeNetworkAclsInput{
			Filters: []types.Filter{filter("vpc-id", changed)},
		}).NetworkAcls[0].NetworkAclId
		do(c, c.DeleteNetworkAclEntry, &ec2.DeleteNetworkAclEntryInput{
			NetworkAclId: acl, RuleNumber: aws.Int32(100), Egress: &egress,
		})
	}
	for id, want := range map[string][]int32{vpc: {100, 101, 32767, 32768}, changed: {32767, 32768}} {
		for range 2 { // a second block changes nothing
			do(c, c.AssociateVpcCidrBlock, &ec2.AssociateVpcCidrBlockInput{
				VpcId: &id, AmazonProvidedIpv6CidrBlock: aws.Bool(true),
			})
		}
		acl := do(c, c.DescribeNetworkAcls, &ec2.DescribeNetworkAclsInput{
			Filters: []types.Filter{filter("vpc-id", id)},
		}).NetworkAcls[0]
		for _, egress := range []bool{true, false} {
			var numbers []int32
			for _, e := range acl.Entries {
				if *e.Egress == egress {
					numbers = append(numbers, *e.RuleNumber)
				}
			}
			if !slices.Equal(numbers, want) {
				t.Errorf("egress %v: entries %v, want %v", egress, numbers, want)
			}
		}
		byDefault := do(c, c.DescribeSecurityGroups, &ec2.DescribeSecurityGroupsInput{
			Filters: []types.Filter{filter("vpc-id", id), filter("group-name", "default")},
		}).SecurityGroups[0].GroupId
		for name, group := range map[string]string{"new": c.group(id, "web"), "default": *byDefault} {
			egress := c.describeGroup(group).IpPermissionsEgress
			if len(egress) != 1 || len(egress[0].Ipv6Ranges) != 1 || *egress[0].Ipv6Ranges[0].CidrIpv6 != "::/0" {
				t.Errorf("the %s group lets out %+v", name, egress)
			}
		}
	}
}

func TestASubnetHasOneBlockOfIPv6Addresses(t *testing.T) {
	c := newCloud(t)
	vpc, block := c.vpc6("10.0.0.0/16")
	subnet := c.subnet(vpc, "10.0.1.0/24", "us-east-1a")
	for given, want := range map[string]string{
		"2001:db8:ffff::/64":                        "InvalidSubnet.Range", // outside of the VPC
		netip.PrefixFrom(block.Addr(), 68).String(): "InvalidSubnet.Range", // too small
		netip.PrefixFrom(block.Addr(), 62).String(): "InvalidSubnet.Range", // not a multiple of four
		"10.0.9.0/24": "InvalidParameterValue",
	} {
		_, err := c.AssociateSubnetCidrBlock(c.ctx, &ec2.AssociateSubnetCidrBlockInput{
			SubnetId: &subnet, Ipv6CidrBlock: &given,
		})
		if code(err) != want {
			t.Errorf("%s: %v, want %s", given, err, want)
		}
	}
	assign := func(yes bool) error {
		_, err := c.ModifySubnetAttribute(c.ctx, &ec2.ModifySubnetAttributeInput{
			SubnetId: &subnet, AssignIpv6AddressOnCreation: &types.AttributeBooleanValue{Value: &yes},
		})
		return err
	}
	if err := assign(true); code(err) != "InvalidParameterValue" {
		t.Errorf("addresses for all, without a block: %v", err)
	}
	first := block64(block, 7).String()
	added := do(c, c.AssociateSubnetCidrBlock, &ec2.AssociateSubnetCidrBlockInput{
		SubnetId: &subnet, Ipv6CidrBlock: &first,
	}).Ipv6CidrBlockAssociation
	if added.Ipv6CidrBlockState.State != types.SubnetCidrBlockStateCodeAssociating || *added.Ipv6CidrBlock != first {
		t.Errorf("added %+v", added)
	}
	if _, err := c.CreateSubnet(c.ctx, &ec2.CreateSubnetInput{
		VpcId: &vpc, CidrBlock: aws.String("10.0.2.0/24"), Ipv6CidrBlock: &first,
	}); code(err) != "InvalidSubnet.Conflict" {
		t.Errorf("a block of another subnet: %v", err)
	}
	if err := assign(true); err != nil {
		t.Fatal(err)
	}
	found := do(c, c.DescribeSubnets, &ec2.DescribeSubnetsInput{Filters: []types.Filter{
		filter("ipv6-cidr-block-association.association-id", *added.AssociationId),
	}}).Subnets
	if len(found) != 1 || !*found[0].AssignIpv6AddressOnCreation {
		t.Errorf("found %+v", found)
	}
	remove := &ec2.DisassociateSubnetCidrBlockInput{AssociationId: added.AssociationId}
	wantError(c, c.DisassociateSubnetCidrBlock, remove, "InvalidCidrBlock.InUse: The subnet IPv6 CIDR block with "+
		"association ID "+*added.AssociationId+" may not be disassociated, because its subnet has "+
		"assign-ipv6-address-on-creation set to true.")
	if err := assign(false); err != nil {
		t.Fatal(err)
	}
	eni := do(c, c.CreateNetworkInterface, &ec2.CreateNetworkInterfaceInput{
		SubnetId: &subnet, Ipv6AddressCount: aws.Int32(1),
	}).NetworkInterface.NetworkInterfaceId
	if _, err := c.DisassociateSubnetCidrBlock(c.ctx, remove); code(err) != "InvalidCidrBlock.InUse" {
		t.Errorf("with an address in use: %v", err)
	}
	do(c, c.DeleteNetworkInterface, &ec2.DeleteNetworkInterfaceInput{NetworkInterfaceId: eni})
	do(c, c.DisassociateSubnetCidrBlock, remove)
	former := do(c, c.DescribeSubnets, &ec2.DescribeSubnetsInput{Filters: []types.Filter{
		filter("ipv6-cidr-block-association.state", "disassociated"),
	}}).Subnets
	if len(former) != 1 || *former[0].SubnetId != subnet || len(former[0].Ipv6CidrBlockAssociationSet) != 1 ||
		*former[0].Ipv6CidrBlockAssociationSet[0].AssociationId != *added.AssociationId {
		t.Errorf("after the disassociation: %+v", former)
	}
	again := do(c, c.AssociateSubnetCidrBlock, &ec2.AssociateSubnetCidrBlockInput{
		SubnetId: &subnet, Ipv6CidrBlock: added.Ipv6CidrBlock,
	}).Ipv6CidrBlockAssociation
	set := do(c, c.DescribeSubnets, &ec2.DescribeSubnetsInput{SubnetIds: []string{subnet}}).
		Subnets[0].Ipv6CidrBlockAssociationSet
	if len(set) != 2 || *set[0].AssociationId != *again.AssociationId ||
		set[0].Ipv6CidrBlockState.State != "associated" || set[1].Ipv6CidrBlockState.State != "disassociated" {
		t.Errorf("after another association: %+v", set)
	}
}

func TestNetworkInterfacesGetIPv6Addresses(t *testing.T) {
	c := newCloud(t)
	vpc, vpcBlock := c.vpc6("10.0.0.0/16")
	block := block64(vpcBlock, 1)
	subnet, plain := c.subnet6(vpc, "10.0.1.0/24", block), c.subnet(vpc, "10.0.2.0/24", "us-east-1a")
	create := func(in *ec2.CreateNetworkInterfaceInput) types.NetworkInterface {
		t.Helper()
		if in.SubnetId == nil {
			in.SubnetId = &subnet
		}
		return *do(c, c.CreateNetworkInterface, in).NetworkInterface
	}
	given := []types.InstanceIpv6Address{{Ipv6Address: aws.String(nth(block, 0x10))}}
	eni := create(&ec2.CreateNetworkInterfaceInput{Ipv6Addresses: given, EnablePrimaryIpv6: aws.Bool(true)})
	if len(eni.Ipv6Addresses) != 1 || *eni.Ipv6Address != nth(block, 0x10) || !*eni.Ipv6Addresses[0].IsPrimaryIpv6 {
		t.Errorf("created %+v", eni)
	}
	if got := create(&ec2.CreateNetworkInterfaceInput{}); len(got.Ipv6Addresses) != 0 {
		t.Errorf("without a wish: %+v", got.Ipv6Addresses)
	}
	for name, in := range map[string]*ec2.CreateNetworkInterfaceInput{
		"InvalidIPAddress.InUse":      {SubnetId: &subnet, Ipv6Addresses: given},
		"InvalidParameterCombination": {SubnetId: &subnet, Ipv6Addresses: given, Ipv6AddressCount: aws.Int32(1)},
		"InvalidParameterValue":       {SubnetId: &plain, Ipv6AddressCount: aws.Int32(1)},
	} {
		if _, err := c.CreateNetworkInterface(c.ctx, in); code(err) != name {
			t.Errorf("got %v, want %s", err, name)
		}
	}
	reserved := []types.InstanceIpv6Address{{Ipv6Address: aws.String(nth(block, 3))}}
	if _, err := c.CreateNetworkInterface(c.ctx, &ec2.CreateNetworkInterfaceInput{
		SubnetId: &subnet, Ipv6Addresses: reserved,
	}); code(err) != "InvalidParameterValue" {
		t.Errorf("a reserved address: %v", err)
	}

	added := do(c, c.AssignIpv6Addresses, &ec2.AssignIpv6AddressesInput{
		NetworkInterfaceId: eni.NetworkInterfaceId, Ipv6AddressCount: aws.Int32(2),
	}).AssignedIpv6Addresses
	if len(added) != 2 || !block.Contains(netip.MustParseAddr(added[0])) || added[0] == added[1] {
		t.Errorf("assigned %v", added)
	}
	found := do(c, c.DescribeNetworkInterfaces, &ec2.DescribeNetworkInterfacesInput{
		Filters: []types.Filter{filter("ipv6-addresses.ipv6-address", added[1])},
	}).NetworkInterfaces
	if len(found) != 1 || len(found[0].Ipv6Addresses) != 3 {
		t.Errorf("found %+v", found)
	}
	remove := func(addresses ...string) error {
		_, err := c.UnassignIpv6Addresses(c.ctx, &ec2.UnassignIpv6AddressesInput{
			NetworkInterfaceId: eni.NetworkInterfaceId, Ipv6Addresses: addresses,
		})
		return err
	}
	if err := remove(nth(block, 0x10)); code(err) != "InvalidParameterValue" {
		t.Errorf("the primary address: %v", err)
	}
	if err := remove(nth(block, 0x99)); code(err) != "InvalidParameterValue" {
		t.Errorf("another's address: %v", err)
	}
	if err := remove(added...); err != nil {
		t.Error(err)
	}
}

func TestInstancesLaunchWithIPv6Addresses(t *testing.T) {
	c := newCloud(t)
	vpc, vpcBlock := c.vpc6("10.0.0.0/16")
	block := block64(vpcBlock, 1)
	subnet := c.subnet6(vpc, "10.0.1.0/24", block)
	image := c.availableImage()
	launch := func(change func(*ec2.RunInstancesInput)) types.Instance {
		t.Helper()
		in := launchOne(image)
		in.SubnetId = &subnet
		change(in)
		return do(c, c.RunInstances, in).Instances[0]
	}
	given := []types.InstanceIpv6Address{{Ipv6Address: aws.String(nth(block, 0x20))}}
	one := launch(func(in *ec2.RunInstancesInput) { in.Ipv6Addresses = given })
	if aws.ToString(one.Ipv6Address) != nth(block, 0x20) || len(one.NetworkInterfaces[0].Ipv6Addresses) != 1 {
		t.Errorf("launched %+v", one.NetworkInterfaces)
	}
	if got := launch(func(*ec2.RunInstancesInput) {}); got.Ipv6Address != nil {
		t.Errorf("without a wish: %s", *got.Ipv6Address)
	}
	two := launch(func(in *ec2.RunInstancesInput) {
		in.SubnetId = nil
		in.NetworkInterfaces = []types.InstanceNetworkInterfaceSpecification{{
			DeviceIndex: aws.Int32(0), SubnetId: &subnet, Ipv6AddressCount: aws.Int32(2),
		}}
	})
	if len(two.NetworkInterfaces[0].Ipv6Addresses) != 2 {
		t.Errorf("launched %+v", two.NetworkInterfaces)
	}
	found := do(c, c.DescribeInstances, &ec2.DescribeInstancesInput{Filters: []types.Filter{
		filter("network-interface.ipv6-addresses.ipv6-address", nth(block, 0x20)),
	}}).Reservations
	if len(found) != 1 || *found[0].Instances[0].InstanceId != *one.InstanceId {
		t.Errorf("found %+v", found)
	}
	do(c, c.ModifySubnetAttribute, &ec2.ModifySubnetAttributeInput{
		SubnetId: &subnet, AssignIpv6AddressOnCreation: &types.AttributeBooleanValue{Value: aws.Bool(true)},
	})
	if got := launch(func(*ec2.RunInstancesInput) {}); got.Ipv6Address == nil {
		t.Error("the subnet assigns no address")
	}
	if got := launch(func(in *ec2.RunInstancesInput) { in.Ipv6AddressCount = aws.Int32(0) }); got.Ipv6Address != nil {
		t.Errorf("a count of 0: %s", *got.Ipv6Address)
	}
}

func TestIPv6ReachesIPv4ThroughANATGateway(t *testing.T) {
	c := newCloud(t)
	vpc, block := c.vpc6("10.0.0.0/16")
	subnet := c.subnet6(vpc, "10.0.1.0/24", block64(block, 1))
	do(c, c.ModifySubnetAttribute, &ec2.ModifySubnetAttributeInput{
		SubnetId: &subnet, EnableDns64: &types.AttributeBooleanValue{Value: aws.Bool(true)},
	})
	found := do(c, c.DescribeSubnets, &ec2.DescribeSubnetsInput{
		Filters: []types.Filter{filter("enable-dns64", "true")},
	}).Subnets
	if len(found) != 1 || *found[0].SubnetId != subnet || !*found[0].EnableDns64 {
		t.Errorf("with DNS64: %+v", found)
	}
	gateway := do(c, c.CreateNatGateway, &ec2.CreateNatGatewayInput{
		SubnetId: &subnet, ConnectivityType: types.ConnectivityTypePrivate,
	}).NatGateway.NatGatewayId
	table := do(c, c.CreateRouteTable, &ec2.CreateRouteTableInput{VpcId: &vpc}).RouteTable.RouteTableId
	for to, want := range map[string]string{"64:ff9b::/96": "<nil>", "::/0": "UnsupportedOperation"} {
		if _, err := c.CreateRoute(c.ctx, &ec2.CreateRouteInput{
			RouteTableId: table, DestinationIpv6CidrBlock: &to, NatGatewayId: gateway,
		}); code(err) != want {
			t.Errorf("a route to %s: %v", to, err)
		}
	}
}

func TestAnEgressOnlyInternetGatewayIsTheTargetOfIPv6Routes(t *testing.T) {
	c := newCloud(t)
	vpc, _ := c.vpc6("10.0.0.0/16")
	request := &ec2.CreateEgressOnlyInternetGatewayInput{
		VpcId: &vpc, TagSpecifications: specification("egress-only-internet-gateway", "Name", "out"),
	}
	gateway := do(c, c.CreateEgressOnlyInternetGateway, request).EgressOnlyInternetGateway
	id := gateway.EgressOnlyInternetGatewayId
	if *gateway.Attachments[0].VpcId != vpc || gateway.Attachments[0].State != types.AttachmentStatusAttached {
		t.Errorf("created %+v", gateway)
	}
	if _, err := c.CreateEgressOnlyInternetGateway(c.ctx, request); code(err) != "InvalidParameterValue" {
		t.Errorf("a second one: %v", err)
	}
	table := do(c, c.CreateRouteTable, &ec2.CreateRouteTableInput{VpcId: &vpc}).RouteTable.RouteTableId
	route := &ec2.CreateRouteInput{
		RouteTableId: table, DestinationIpv6CidrBlock: aws.String("::/0"), EgressOnlyInternetGatewayId: id,
	}
	do(c, c.CreateRoute, route)
	if _, err := c.CreateRoute(c.ctx, &ec2.CreateRouteInput{
		RouteTableId: table, DestinationCidrBlock: aws.String("0.0.0.0/0"), EgressOnlyInternetGatewayId: id,
	}); code(err) != "InvalidParameterValue" {
		t.Errorf("a route of IPv4: %v", err)
	}
	state := func() types.RouteState {
		t.Helper()
		tables := do(c, c.DescribeRouteTables, &ec2.DescribeRouteTablesInput{Filters: []types.Filter{
			filter("route.egress-only-internet-gateway-id", *id),
		}}).RouteTables
		if len(tables) != 1 {
			t.Fatalf("%d route tables", len(tables))
		}
		last := tables[0].Routes[len(tables[0].Routes)-1]
		if aws.ToString(last.DestinationIpv6CidrBlock) != "::/0" || last.DestinationCidrBlock != nil {
			t.Errorf("route %+v", last)
		}
		return last.State
	}
	if got := state(); got != types.RouteStateActive {
		t.Errorf("the route is %s", got)
	}
	if _, err := c.DeleteVpc(c.ctx, &ec2.DeleteVpcInput{VpcId: &vpc}); code(err) != "DependencyViolation" {
		t.Errorf("the VPC with a gateway: %v", err)
	}
	found := do(c, c.DescribeEgressOnlyInternetGateways, &ec2.DescribeEgressOnlyInternetGatewaysInput{
		Filters: []types.Filter{filter("tag:Name", "out")},
	}).EgressOnlyInternetGateways
	if len(found) != 1 || *found[0].EgressOnlyInternetGatewayId != *id {
		t.Errorf("found %+v", found)
	}
	do(c, c.DeleteEgressOnlyInternetGateway, &ec2.DeleteEgressOnlyInternetGatewayInput{EgressOnlyInternetGatewayId: id})
	if got := state(); got != types.RouteStateBlackhole {
		t.Errorf("without its gateway the route is %s", got)
	}
	do(c, c.DeleteRoute, &ec2.DeleteRouteInput{RouteTableId: table, DestinationIpv6CidrBlock: aws.String("::/0")})
}

func TestBlocksOfIPv6AddressesComeFromTheRegionsBorderGroup(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	block := aws.String("10.0.0.0/16")
	for group, want := range map[string]string{
		home:              "<nil>",
		"us-east-1-bos-1": "InvalidParameterValue",
	} {
		_, associated := c.AssociateVpcCidrBlock(c.ctx, &ec2.AssociateVpcCidrBlockInput{
			VpcId: &vpc, AmazonProvidedIpv6CidrBlock: aws.Bool(true), Ipv6CidrBlockNetworkBorderGroup: &group,
		})
		_, created := c.CreateVpc(c.ctx, &ec2.CreateVpcInput{
			CidrBlock: block, AmazonProvidedIpv6CidrBlock: aws.Bool(true), Ipv6CidrBlockNetworkBorderGroup: &group,
		})
		if code(associated) != want || code(created) != want {
			t.Errorf("border group %s: %v and %v", group, associated, created)
		}
	}
}
