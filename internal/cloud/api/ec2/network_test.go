package ec2

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/store"
)

// nic puts a network interface into a subnet.
func (c *cloud) nic(wish addressing.Wish, subnet string) *store.NetworkInterface {
	c.t.Helper()
	var row *store.NetworkInterface
	if err := c.Store.Update(func(tx *store.Tx) (err error) {
		wish.Subnet, _ = store.Subnets.Get(tx, subnet)
		row, err = addressing.NewInterface(tx, c.ids, wish)
		return err
	}); err != nil {
		c.t.Fatal(err)
	}
	return row
}

func TestRangesOfVPCsAndSubnetsAreChecked(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	c.subnet(vpc, "10.0.1.0/24", "us-east-1a")
	for cidr, want := range map[string]string{
		"10.0.0.0/8":  "InvalidVpc.Range: The CIDR '10.0.0.0/8' is invalid.",
		"10.0.0.0/29": "InvalidVpc.Range: The CIDR '10.0.0.0/29' is invalid.",
		"ten":         "InvalidParameterValue: Value (ten) for parameter cidrBlock is invalid. This is not a valid CIDR block.",
	} {
		refused(c, c.CreateVpc, &ec2.CreateVpcInput{CidrBlock: &cidr}, want)
	}
	for cidr, want := range map[string]string{
		"10.1.0.0/24":   "InvalidSubnet.Range: The CIDR '10.1.0.0/24' is invalid.",
		"10.0.0.0/29":   "InvalidSubnet.Range: The CIDR '10.0.0.0/29' is invalid.",
		"10.0.1.128/25": "InvalidSubnet.Conflict: The CIDR '10.0.1.128/25' conflicts with another subnet",
	} {
		refused(c, c.CreateSubnet, &ec2.CreateSubnetInput{VpcId: &vpc, CidrBlock: &cidr}, want)
	}
	out := do(c, c.CreateSubnet, &ec2.CreateSubnetInput{VpcId: &vpc, CidrBlock: aws.String("10.0.2.1/24")})
	if *out.Subnet.CidrBlock != "10.0.2.0/24" || *out.Subnet.AvailabilityZone != "us-east-1b" {
		t.Errorf("%s in %s", *out.Subnet.CidrBlock, *out.Subnet.AvailabilityZone)
	}
	refused(
		c,
		c.CreateSubnet,
		&ec2.CreateSubnetInput{VpcId: &vpc, Ipv6Native: aws.Bool(true)},
		"MissingParameter: Either 'ipv6CidrBlock' or 'ipv6IpamPoolId' should be provided.",
	)
	refused(
		c,
		c.CreateVpc,
		&ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16"), AmazonProvidedIpv6CidrBlock: aws.Bool(true)},
		"UnsupportedOperation: aloft's local cloud does not support the parameter amazonProvidedIpv6CidrBlock",
	)
}

func TestVPCAttributesRoundTripOneAtATime(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	told := func(name types.VpcAttributeName) *ec2.DescribeVpcAttributeOutput {
		return do(c, c.DescribeVpcAttribute, &ec2.DescribeVpcAttributeInput{VpcId: &vpc, Attribute: name})
	}
	if !*told("enableDnsSupport").EnableDnsSupport.Value || *told("enableDnsHostnames").EnableDnsHostnames.Value ||
		*told("enableNetworkAddressUsageMetrics").EnableNetworkAddressUsageMetrics.Value {
		t.Error("defaults of a new VPC")
	}
	yes := &types.AttributeBooleanValue{Value: aws.Bool(true)}
	do(c, c.ModifyVpcAttribute, &ec2.ModifyVpcAttributeInput{VpcId: &vpc, EnableDnsHostnames: yes})
	if !*told("enableDnsHostnames").EnableDnsHostnames.Value {
		t.Error("not modified")
	}
	if _, err := c.ModifyVpcAttribute(c.ctx, &ec2.ModifyVpcAttributeInput{
		VpcId: &vpc, EnableDnsHostnames: yes, EnableDnsSupport: yes,
	}); code(
		err,
	) != "InvalidParameterCombination" {
		t.Errorf("two at once: %v", err)
	}
}

func TestGatewaysAttachToOneVPCAndStayWhilePublicAddressesNeedThem(t *testing.T) {
	c := newCloud(t)
	vpc, other := c.vpc("10.0.0.0/16"), c.vpc("10.1.0.0/16")
	subnet := c.subnet(vpc, "10.0.1.0/24", "us-east-1a")
	gateway := do(c, c.CreateInternetGateway, &ec2.CreateInternetGatewayInput{}).InternetGateway.InternetGatewayId
	refused(
		c,
		c.DetachInternetGateway,
		&ec2.DetachInternetGatewayInput{InternetGatewayId: gateway, VpcId: &vpc},
		"Gateway.NotAttached: resource "+*gateway+" is not attached to network "+vpc,
	)
	do(c, c.AttachInternetGateway, &ec2.AttachInternetGatewayInput{InternetGatewayId: gateway, VpcId: &vpc})
	refused(
		c,
		c.AttachInternetGateway,
		&ec2.AttachInternetGatewayInput{InternetGatewayId: gateway, VpcId: &other},
		"Resource.AlreadyAssociated: resource "+*gateway+" is already attached to network "+vpc,
	)
	nic := c.nic(addressing.Wish{PublicFrom: c.PublicRange}, subnet)
	refused(
		c,
		c.DetachInternetGateway,
		&ec2.DetachInternetGatewayInput{InternetGatewayId: gateway, VpcId: &vpc},
		"DependencyViolation: Network "+vpc+" has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.",
	)
	refused(
		c,
		c.DeleteSubnet,
		&ec2.DeleteSubnetInput{SubnetId: &subnet},
		"DependencyViolation: The subnet '"+subnet+"' has dependencies and cannot be deleted.",
	)
	do(c, c.DeleteNetworkInterface, &ec2.DeleteNetworkInterfaceInput{NetworkInterfaceId: &nic.ID})
	do(c, c.DetachInternetGateway, &ec2.DetachInternetGatewayInput{InternetGatewayId: gateway, VpcId: &vpc})
}

func TestRoutesLeadToTheVPCsOwnGateway(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	table := do(c, c.CreateRouteTable, &ec2.CreateRouteTableInput{VpcId: &vpc}).RouteTable.RouteTableId
	gateway := do(c, c.CreateInternetGateway, &ec2.CreateInternetGatewayInput{}).InternetGateway.InternetGatewayId
	route := func(destination string) *ec2.CreateRouteInput {
		return &ec2.CreateRouteInput{RouteTableId: table, DestinationCidrBlock: &destination, GatewayId: gateway}
	}
	refused(c, c.CreateRoute, route("0.0.0.0/0"), fmt.Sprintf(
		"InvalidParameterValue: route table %s and network gateway %s belong to different networks", *table, *gateway,
	))
	do(c, c.AttachInternetGateway, &ec2.AttachInternetGatewayInput{InternetGatewayId: gateway, VpcId: &vpc})
	do(c, c.CreateRoute, route("0.0.0.0/0"))
	refused(
		c,
		c.CreateRoute,
		route("10.0.0.0/16"),
		"RouteAlreadyExists: The route identified by 10.0.0.0/16 already exists.",
	)
	if _, err := c.CreateRoute(c.ctx, route("10.0.1.0/24")); code(err) != "InvalidParameterValue" {
		t.Errorf("inside the VPC: %v", err)
	}
	refused(
		c,
		c.CreateRoute,
		&ec2.CreateRouteInput{
			RouteTableId:         table,
			DestinationCidrBlock: aws.String("1.0.0.0/8"),
			GatewayId:            aws.String("igw-00000000"),
		},
		"InvalidGatewayID.NotFound: The gateway ID 'igw-00000000' does not exist",
	)
	refused(
		c,
		c.ReplaceRoute,
		&ec2.ReplaceRouteInput{RouteTableId: table, DestinationCidrBlock: aws.String("1.0.0.0/8"), GatewayId: gateway},
		"InvalidParameterValue: There is no route defined for '1.0.0.0/8' in the route table. Use CreateRoute instead.",
	)
	do(
		c,
		c.ReplaceRoute,
		&ec2.ReplaceRouteInput{RouteTableId: table, DestinationCidrBlock: aws.String("0.0.0.0/0"), GatewayId: gateway},
	)
	do(c, c.DetachInternetGateway, &ec2.DetachInternetGatewayInput{InternetGatewayId: gateway, VpcId: &vpc})
	if holes := do(c, c.DescribeRouteTables, &ec2.DescribeRouteTablesInput{
		Filters: []types.Filter{filter("route.state", "blackhole")},
	}).RouteTables; len(
		holes,
	) != 1 ||
		*holes[0].RouteTableId != *table {
		t.Errorf("black holes: %+v", holes)
	}
	refused(
		c,
		c.DeleteRoute,
		&ec2.DeleteRouteInput{RouteTableId: table, DestinationCidrBlock: aws.String("10.0.0.0/16")},
		"InvalidParameterValue: cannot remove local route 10.0.0.0/16 in route table "+*table,
	)
	do(c, c.DeleteRoute, &ec2.DeleteRouteInput{RouteTableId: table, DestinationCidrBlock: aws.String("0.0.0.0/0")})
	refused(
		c,
		c.DeleteRoute,
		&ec2.DeleteRouteInput{RouteTableId: table, DestinationCidrBlock: aws.String("0.0.0.0/0")},
		"InvalidRoute.NotFound: no route with destination-cidr-block 0.0.0.0/0 in route table "+*table,
	)
}

func TestASubnetIsUnderOneRouteTable(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	subnet := c.subnet(vpc, "10.0.1.0/24", "us-east-1a")
	one := do(c, c.CreateRouteTable, &ec2.CreateRouteTableInput{VpcId: &vpc}).RouteTable.RouteTableId
	two := do(c, c.CreateRouteTable, &ec2.CreateRouteTableInput{VpcId: &vpc}).RouteTable.RouteTableId
	first := do(c, c.AssociateRouteTable, &ec2.AssociateRouteTableInput{RouteTableId: one, SubnetId: &subnet})
	again := do(c, c.AssociateRouteTable, &ec2.AssociateRouteTableInput{RouteTableId: one, SubnetId: &subnet})
	if *first.AssociationId != *again.AssociationId {
		t.Error("repeating made another association")
	}
	if _, err := c.AssociateRouteTable(c.ctx, &ec2.AssociateRouteTableInput{
		RouteTableId: two, SubnetId: &subnet,
	}); code(
		err,
	) != "Resource.AlreadyAssociated" {
		t.Errorf("under two tables: %v", err)
	}
	moved := do(
		c,
		c.ReplaceRouteTableAssociation,
		&ec2.ReplaceRouteTableAssociationInput{AssociationId: first.AssociationId, RouteTableId: two},
	)
	do(c, c.DeleteRouteTable, &ec2.DeleteRouteTableInput{RouteTableId: one})
	do(c, c.DisassociateRouteTable, &ec2.DisassociateRouteTableInput{AssociationId: moved.NewAssociationId})
	refused(
		c,
		c.DisassociateRouteTable,
		&ec2.DisassociateRouteTableInput{AssociationId: moved.NewAssociationId},
		"InvalidAssociationID.NotFound: The association ID '"+*moved.NewAssociationId+"' does not exist",
	)
	do(c, c.DeleteRouteTable, &ec2.DeleteRouteTableInput{RouteTableId: two})
}

func TestNetworkACLsHaveEntriesAndSubnets(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	subnet := c.subnet(vpc, "10.0.1.0/24", "us-east-1a")
	acl := do(c, c.CreateNetworkAcl, &ec2.CreateNetworkAclInput{VpcId: &vpc}).NetworkAcl
	last := func(egress bool) types.NetworkAclEntry {
		return types.NetworkAclEntry{
			RuleNumber: aws.Int32(32767),
			Egress:     &egress,
			Protocol:   aws.String("-1"),
			RuleAction: "deny",
			CidrBlock:  aws.String("0.0.0.0/0"),
		}
	}
	if diff := cmp.Diff(
		[]types.NetworkAclEntry{last(true), last(false)}, acl.Entries,
		cmpopts.IgnoreUnexported(types.NetworkAclEntry{}),
	); diff != "" {
		t.Error(diff)
	}
	entry := &ec2.CreateNetworkAclEntryInput{
		NetworkAclId: acl.NetworkAclId, RuleNumber: aws.Int32(100), Egress: aws.Bool(false),
		Protocol: aws.String("tcp"), RuleAction: "allow", CidrBlock: aws.String("0.0.0.0/0"),
		PortRange: &types.PortRange{From: aws.Int32(80), To: aws.Int32(80)},
	}
	do(c, c.CreateNetworkAclEntry, entry)
	refused(
		c,
		c.CreateNetworkAclEntry,
		entry,
		"NetworkAclEntryAlreadyExists: The network acl entry identified by 100 already exists.",
	)
	of := []types.Filter{filter("association.subnet-id", subnet)}
	standard := do(c, c.DescribeNetworkAcls, &ec2.DescribeNetworkAclsInput{Filters: of}).NetworkAcls[0]
	moved := do(c, c.ReplaceNetworkAclAssociation, &ec2.ReplaceNetworkAclAssociationInput{
		AssociationId: standard.Associations[0].NetworkAclAssociationId,
		NetworkAclId:  acl.NetworkAclId,
	})
	refused(
		c,
		c.DeleteNetworkAcl,
		&ec2.DeleteNetworkAclInput{NetworkAclId: acl.NetworkAclId},
		"DependencyViolation: The networkAcl '"+*acl.NetworkAclId+"' has dependencies and cannot be deleted.",
	)
	now := do(c, c.DescribeNetworkAcls, &ec2.DescribeNetworkAclsInput{Filters: of}).NetworkAcls
	if len(now) != 1 || *now[0].NetworkAclId != *acl.NetworkAclId || *now[0].Entries[1].Protocol != "6" ||
		*now[0].Entries[1].PortRange.From != 80 {
		t.Errorf("%+v", now)
	}
	do(c, c.ReplaceNetworkAclAssociation, &ec2.ReplaceNetworkAclAssociationInput{
		AssociationId: moved.NewAssociationId,
		NetworkAclId:  standard.NetworkAclId,
	})
	do(c, c.DeleteNetworkAclEntry, &ec2.DeleteNetworkAclEntryInput{
		NetworkAclId: acl.NetworkAclId,
		RuleNumber:   aws.Int32(100),
		Egress:       aws.Bool(false),
	})
	do(c, c.DeleteNetworkAcl, &ec2.DeleteNetworkAclInput{NetworkAclId: acl.NetworkAclId})
	refused(
		c,
		c.DeleteNetworkAcl,
		&ec2.DeleteNetworkAclInput{NetworkAclId: standard.NetworkAclId},
		"InvalidParameterValue: cannot delete default network ACL "+*standard.NetworkAclId,
	)
}

func TestNetworkInterfacesAreFoundByWhatTheyAreAndWhoseTheyAre(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	subnet, group := c.subnet(vpc, "10.0.1.0/24", "us-east-1a"), c.group(vpc, "web")
	machine := c.nic(
		addressing.Wish{
			PublicFrom:          c.PublicRange,
			InstanceID:          "i-0123456789abcdef0",
			GroupIDs:            []string{group},
			AttachedAt:          noon,
			DeleteOnTermination: true,
		},
		subnet,
	)
	balancer := c.nic(
		addressing.Wish{LoadBalancerARN: "arn:lb", Description: "ELB app/web/1", AttachedAt: noon},
		subnet,
	)
	for _, test := range []struct{ name, value, want string }{
		{
			"attachment.instance-id", "i-0123456789abcdef0", machine.ID,
		}, {"group-id", group, machine.ID}, {"group-name", "web", machine.ID},
		{
			"association.public-ip", machine.PublicIP.String(), machine.ID,
		}, {"private-ip-address", balancer.PrivateIP.String(), balancer.ID},
		{
			"attachment.instance-owner-id", "amazon-elb", balancer.ID,
		}, {"requester-id", "amazon-elb", balancer.ID}, {"description", "ELB app/*", balancer.ID},
		{"attachment.instance-owner-id", "000000000000", machine.ID},
	} {
		found := do(c, c.DescribeNetworkInterfaces, &ec2.DescribeNetworkInterfacesInput{
			Filters: []types.Filter{filter("vpc-id", vpc), filter(test.name, test.value)},
		}).NetworkInterfaces
		if len(found) != 1 || *found[0].NetworkInterfaceId != test.want {
			t.Errorf("%s=%s: %d found", test.name, test.value, len(found))
		}
	}
	refused(
		c,
		c.DeleteSecurityGroup,
		&ec2.DeleteSecurityGroupInput{GroupId: &group},
		"DependencyViolation: resource "+group+" has a dependent object",
	)
	refused(
		c,
		c.DeleteNetworkInterface,
		&ec2.DeleteNetworkInterfaceInput{NetworkInterfaceId: &machine.ID},
		"InvalidParameterValue: Network interface '"+machine.ID+"' is currently in use.",
	)
	if _, err := c.DeleteNetworkInterface(c.ctx, &ec2.DeleteNetworkInterfaceInput{
		NetworkInterfaceId: &balancer.ID,
	}); code(
		err,
	) != "OperationNotPermitted" {
		t.Errorf("a load balancer's: %v", err)
	}
	shown := do(c, c.DescribeNetworkInterfaces, &ec2.DescribeNetworkInterfacesInput{
		NetworkInterfaceIds: []string{machine.ID},
	}).NetworkInterfaces[0]
	if *shown.PrivateDnsName != privateDNSName(home, machine.PrivateIP) || *shown.Association.IpOwnerId != "amazon" ||
		*shown.Attachment.InstanceOwnerId != "000000000000" {
		t.Errorf("%+v", shown)
	}
}
