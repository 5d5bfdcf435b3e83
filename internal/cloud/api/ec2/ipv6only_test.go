package ec2

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// ipv6Only returns the id of an IPv6-only subnet of a new VPC.
func (c *cloud) ipv6Only() string {
	c.t.Helper()
	vpc, block := c.vpc6("10.0.0.0/16")
	return *do(c, c.CreateSubnet, &ec2.CreateSubnetInput{
		VpcId: &vpc, Ipv6Native: aws.Bool(true), Ipv6CidrBlock: aws.String(block64(block, 1).String()),
	}).Subnet.SubnetId
}

func TestAnIPv6OnlySubnetIsDescribedWithoutIPv4(t *testing.T) {
	c := newCloud(t)
	vpc, block := c.vpc6("10.0.0.0/16")
	text := block64(block, 1).String()
	create := func(in ec2.CreateSubnetInput) *ec2.CreateSubnetInput {
		in.VpcId, in.Ipv6Native = &vpc, aws.Bool(true)
		return &in
	}
	wantError(c, c.CreateSubnet, create(ec2.CreateSubnetInput{CidrBlock: aws.String("10.0.0.0/24")}),
		"MissingParameter: Either 'ipv6CidrBlock' or 'ipv6IpamPoolId' should be provided.")
	wantError(c, c.CreateSubnet, create(ec2.CreateSubnetInput{
		CidrBlock: aws.String("10.0.0.0/24"), Ipv6CidrBlock: &text,
	}), "InvalidParameterCombination: When specifying ipv4 parameters, cidrBlock or ipv4IpamPoolId, you cannot set "+
		"ipv6Native to true.")

	id := *do(c, c.CreateSubnet, create(ec2.CreateSubnetInput{Ipv6CidrBlock: &text})).Subnet.SubnetId
	c.subnet(vpc, "10.0.1.0/24", "us-east-1a")
	found := do(c, c.DescribeSubnets, &ec2.DescribeSubnetsInput{
		Filters: []types.Filter{filter("ipv6-native", "true")},
	}).Subnets
	if len(found) != 1 || *found[0].SubnetId != id {
		t.Fatalf("found %+v", found)
	}
	got, names := found[0], found[0].PrivateDnsNameOptionsOnLaunch
	if got.CidrBlock != nil || !*got.Ipv6Native || *got.AvailableIpAddressCount != 0 ||
		!*got.AssignIpv6AddressOnCreation || names.HostnameType != types.HostnameTypeResourceName ||
		*names.EnableResourceNameDnsARecord || *names.EnableResourceNameDnsAAAARecord {
		t.Errorf("got %+v, names %+v", got, names)
	}
	do(c, c.DeleteSubnet, &ec2.DeleteSubnetInput{SubnetId: &id})
}

func TestSubnetAttributesNeedTheAddressesThatTheyAreAbout(t *testing.T) {
	c := newCloud(t)
	only, without := c.ipv6Only(), c.subnet(c.vpc("10.0.0.0/16"), "10.0.0.0/24", "us-east-1a")
	on, off := &types.AttributeBooleanValue{Value: aws.Bool(true)}, &types.AttributeBooleanValue{Value: aws.Bool(false)}
	missing := func(name, subnet, family string) string {
		return "InvalidParameterValue: Invalid value 'true' for " + name + ". Cannot set " + name +
			" to true unless the subnet (" + subnet + ") has an " + family + " CIDR block associated with it."
	}
	for _, c6 := range []struct {
		subnet string
		in     ec2.ModifySubnetAttributeInput
		want   string // "": success
	}{
		{
			without, ec2.ModifySubnetAttributeInput{AssignIpv6AddressOnCreation: on},
			missing("assign-ipv6-address-on-creation", without, "IPv6"),
		},
		{without, ec2.ModifySubnetAttributeInput{EnableDns64: on}, missing("enable-dns64", without, "IPv6")},
		{
			without, ec2.ModifySubnetAttributeInput{EnableResourceNameDnsAAAARecordOnLaunch: on},
			missing("enable-resource-name-dns-aaaa-record-on-launch", without, "IPv6"),
		},
		{without, ec2.ModifySubnetAttributeInput{EnableDns64: off}, ""},
		{without, ec2.ModifySubnetAttributeInput{MapPublicIpOnLaunch: on}, ""},
		{only, ec2.ModifySubnetAttributeInput{EnableDns64: on}, ""},
		{only, ec2.ModifySubnetAttributeInput{EnableResourceNameDnsAAAARecordOnLaunch: on}, ""},
		{
			only, ec2.ModifySubnetAttributeInput{MapPublicIpOnLaunch: on},
			missing("map-public-ip-on-launch", only, "IPv4"),
		},
		{
			only, ec2.ModifySubnetAttributeInput{EnableResourceNameDnsARecordOnLaunch: on},
			missing("enable-resource-name-dns-a-record-on-launch", only, "IPv4"),
		},
		{
			only, ec2.ModifySubnetAttributeInput{AssignIpv6AddressOnCreation: off},
			"InvalidParameterValue: Value (false) for parameter assign-ipv6-address-on-creation is invalid. The " +
				"subnet (" + only + ") is IPv6 only, which needs true.",
		},
		{
			only, ec2.ModifySubnetAttributeInput{PrivateDnsHostnameTypeOnLaunch: types.HostnameTypeIpName},
			"InvalidParameterValue: Value (ip-name) for parameter private-dns-hostname-type-on-launch is invalid. " +
				"The subnet (" + only + ") is IPv6 only, which needs resource-name.",
		},
		{only, ec2.ModifySubnetAttributeInput{PrivateDnsHostnameTypeOnLaunch: types.HostnameTypeResourceName}, ""},
	} {
		c6.in.SubnetId = &c6.subnet
		if c6.want == "" {
			do(c, c.ModifySubnetAttribute, &c6.in)
		} else {
			wantError(c, c.ModifySubnetAttribute, &c6.in, c6.want)
		}
	}
}

func TestAnInstanceInAnIPv6OnlySubnetHasOneAddress(t *testing.T) {
	c := newCloud(t)
	image, subnet := c.availableImage(), c.ipv6Only()
	run := func(kind types.InstanceType, change func(*ec2.RunInstancesInput)) *ec2.RunInstancesInput {
		in := &ec2.RunInstancesInput{
			ImageId: &image, SubnetId: &subnet, InstanceType: kind, MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		}
		change(in)
		return in
	}
	asked := func(*ec2.RunInstancesInput) {}
	noIPv4 := "InvalidParameterValue: Subnet '" + subnet + "' does not have an IPv4 CIDR block associated with it."
	for _, refused := range []struct {
		in   *ec2.RunInstancesInput
		want string
	}{
		{run("t2.micro", asked), "Unsupported: The requested configuration is currently not supported. Please check " +
			"the documentation for supported configurations."},
		{run("t3.micro", func(in *ec2.RunInstancesInput) { in.PrivateIpAddress = aws.String("10.0.0.9") }), noIPv4},
		{run("t3.micro", func(in *ec2.RunInstancesInput) {
			in.SubnetId = nil
			in.NetworkInterfaces = []types.InstanceNetworkInterfaceSpecification{{
				DeviceIndex: aws.Int32(0), SubnetId: &subnet, AssociatePublicIpAddress: aws.Bool(true),
			}}
		}), noIPv4},
		{
			run("t3.micro", func(in *ec2.RunInstancesInput) {
				in.PrivateDnsNameOptions = &types.PrivateDnsNameOptionsRequest{HostnameType: types.HostnameTypeIpName}
			}),
			"InvalidParameterValue: Value (ip-name) for parameter hostnameType is invalid. The subnet (" + subnet +
				") is IPv6 only, which needs resource-name.",
		},
	} {
		wantError(c, c.RunInstances, refused.in, refused.want)
	}

	id := *do(c, c.RunInstances, run("t3.micro", func(in *ec2.RunInstancesInput) {
		in.Ipv6AddressCount = aws.Int32(0)
	})).Instances[0].InstanceId
	got := do(c, c.DescribeInstances, &ec2.DescribeInstancesInput{
		Filters: []types.Filter{filter("private-dns-name", id+".ec2.internal")},
	}).Reservations[0].Instances[0]
	eni := got.NetworkInterfaces[0]
	if got.PrivateIpAddress != nil || aws.ToString(got.Ipv6Address) == "" ||
		*got.PrivateDnsName != id+".ec2.internal" ||
		eni.PrivateIpAddress != nil || len(eni.PrivateIpAddresses) != 0 || len(eni.Ipv6Addresses) != 1 {
		t.Errorf("got %+v, interface %+v", got, eni)
	}
	wantError(c, c.DeleteSubnet, &ec2.DeleteSubnetInput{SubnetId: &subnet},
		"DependencyViolation: The subnet '"+subnet+"' has dependencies and cannot be deleted.")
	described := do(c, c.DescribeNetworkInterfaces, &ec2.DescribeNetworkInterfacesInput{
		NetworkInterfaceIds: []string{*eni.NetworkInterfaceId},
	}).NetworkInterfaces[0]
	if described.PrivateIpAddress != nil || described.PrivateDnsName != nil || described.Association != nil ||
		!strings.HasPrefix(*got.Ipv6Address, "2001:db8:") {
		t.Errorf("got %+v", described)
	}
	wantError(c, c.AssignPrivateIpAddresses, &ec2.AssignPrivateIpAddressesInput{
		NetworkInterfaceId: eni.NetworkInterfaceId, SecondaryPrivateIpAddressCount: aws.Int32(1),
	}, noIPv4)
	elastic := do(c, c.AllocateAddress, &ec2.AllocateAddressInput{}).AllocationId
	wantError(c, c.AssociateAddress, &ec2.AssociateAddressInput{
		AllocationId: elastic, NetworkInterfaceId: do(c, c.CreateNetworkInterface, &ec2.CreateNetworkInterfaceInput{
			SubnetId: &subnet,
		}).NetworkInterface.NetworkInterfaceId,
	}, noIPv4)
	wantError(c, c.CreateNatGateway, &ec2.CreateNatGatewayInput{AllocationId: elastic, SubnetId: &subnet}, noIPv4)
	wantError(c, c.CreateInstanceConnectEndpoint, &ec2.CreateInstanceConnectEndpointInput{SubnetId: &subnet}, noIPv4)
}
