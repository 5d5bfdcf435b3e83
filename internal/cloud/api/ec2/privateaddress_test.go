package ec2

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestSecondaryAddressesAreAssignedMovedAndUnassigned(t *testing.T) {
	r := newRemote(t)
	a, b := r.running(), r.running()
	first, second := a.NetworkInterfaces[0].NetworkInterfaceId, r.newNIC(b)
	if *a.SubnetId != *b.SubnetId {
		t.Fatal("the instances are in different subnets")
	}
	assigned := doRemote(r, r.AssignPrivateIpAddresses, &ec2.AssignPrivateIpAddressesInput{
		NetworkInterfaceId: first, SecondaryPrivateIpAddressCount: aws.Int32(1),
	})
	address := *assigned.AssignedPrivateIpAddresses[0].PrivateIpAddress
	if got := privateTexts(r.describeNIC(*first)); !slices.Equal(got, []string{*a.PrivateIpAddress, address}) {
		t.Errorf("the interface has %v", got)
	}
	wantRemoteError(r, r.AssignPrivateIpAddresses, &ec2.AssignPrivateIpAddressesInput{
		NetworkInterfaceId: first, SecondaryPrivateIpAddressCount: aws.Int32(1),
	}, "PrivateIpAddressLimitExceeded: Number of private addresses will exceed limit.")

	id, public := r.allocate()
	association := doRemote(r, r.AssociateAddress, &ec2.AssociateAddressInput{
		AllocationId: &id, NetworkInterfaceId: first, PrivateIpAddress: &address,
	}).AssociationId
	if seen := r.instance(*a.InstanceId); *seen.PublicIpAddress == public ||
		*seen.NetworkInterfaces[0].PrivateIpAddresses[1].Association.PublicIp != public {
		t.Errorf("the instance has %+v", seen.NetworkInterfaces[0].PrivateIpAddresses)
	}
	move := &ec2.AssignPrivateIpAddressesInput{NetworkInterfaceId: &second, PrivateIpAddresses: []string{address}}
	wantRemoteError(r, r.AssignPrivateIpAddresses, move, "InvalidIPAddress.InUse:")
	move.AllowReassignment = aws.Bool(true)
	doRemote(r, r.AssignPrivateIpAddresses, move)
	doRemote(r, r.AssignPrivateIpAddresses, move) // once more: it has the address
	moved := r.describeNIC(second).PrivateIpAddresses[1]
	if *moved.PrivateIpAddress != address || *moved.Association.PublicIp != public ||
		*moved.Association.AssociationId != *association || *moved.Primary {
		t.Errorf("moved as %+v", moved)
	}
	if got := privateTexts(r.describeNIC(*first)); len(got) != 1 {
		t.Errorf("the first interface still has %v", got)
	}
	move.PrivateIpAddresses = []string{*a.PrivateIpAddress}
	wantRemoteError(r, r.AssignPrivateIpAddresses, move, "InvalidIPAddress.InUse:") // a primary one

	unassign := &ec2.UnassignPrivateIpAddressesInput{NetworkInterfaceId: first, PrivateIpAddresses: []string{address}}
	wantRemoteError(r, r.UnassignPrivateIpAddresses, unassign,
		"InvalidParameterValue: Some of the specified addresses are not assigned to interface "+*first)
	unassign.PrivateIpAddresses = []string{*a.PrivateIpAddress}
	wantRemoteError(r, r.UnassignPrivateIpAddresses, unassign, "InvalidParameterValue:")
	doRemote(r, r.UnassignPrivateIpAddresses, &ec2.UnassignPrivateIpAddressesInput{
		NetworkInterfaceId: &second, PrivateIpAddresses: []string{address},
	})
	free := doRemote(r, r.DescribeAddresses, &ec2.DescribeAddressesInput{AllocationIds: []string{id}}).Addresses[0]
	if free.AssociationId != nil || len(r.describeNIC(second).PrivateIpAddresses) != 1 {
		t.Errorf("the Elastic IP address is %+v", free)
	}
	for _, in := range []*ec2.AssignPrivateIpAddressesInput{
		{NetworkInterfaceId: first},
		{
			NetworkInterfaceId: first, PrivateIpAddresses: []string{address},
			SecondaryPrivateIpAddressCount: aws.Int32(1),
		},
		{NetworkInterfaceId: first, Ipv4PrefixCount: aws.Int32(1)},
	} {
		if _, err := r.AssignPrivateIpAddresses(t.Context(), in); err == nil {
			t.Errorf("%+v was accepted", in)
		}
	}
}

func TestLaunchHasTheNetworkInterfacesOfTheRequest(t *testing.T) {
	r := newRemote(t)
	image := r.cloud.availableImage()
	vpc := r.cloud.vpc("10.0.0.0/16")
	front, back := r.cloud.subnet(vpc, "10.0.1.0/24", "us-east-1a"), r.cloud.subnet(vpc, "10.0.2.0/24", "us-east-1a")
	other := r.cloud.subnet(vpc, "10.0.3.0/24", "us-east-1b")
	group := r.cloud.group(vpc, "back")
	spare := doRemote(r, r.CreateNetworkInterface, &ec2.CreateNetworkInterfaceInput{SubnetId: &front}).NetworkInterface
	type specs = []types.InstanceNetworkInterfaceSpecification
	request := func(interfaces specs) *ec2.RunInstancesInput {
		in := launchOne(image)
		in.NetworkInterfaces = interfaces
		return in
	}
	launched := doRemote(r, r.RunInstances, request(specs{
		{
			DeviceIndex: aws.Int32(1), SubnetId: &back, Groups: []string{group}, DeleteOnTermination: aws.Bool(true),
			SecondaryPrivateIpAddressCount: aws.Int32(1),
		},
		{DeviceIndex: aws.Int32(0), NetworkInterfaceId: spare.NetworkInterfaceId},
	})).Instances[0]
	one, two := launched.NetworkInterfaces[0], launched.NetworkInterfaces[1]
	if *launched.SubnetId != front || *launched.PrivateIpAddress != *spare.PrivateIpAddress ||
		launched.PublicIpAddress != nil || *one.NetworkInterfaceId != *spare.NetworkInterfaceId ||
		*one.Attachment.DeleteOnTermination || *two.SubnetId != back || *two.Groups[0].GroupId != group ||
		len(two.PrivateIpAddresses) != 2 || !*two.Attachment.DeleteOnTermination {
		t.Errorf("launched as %+v", launched)
	}
	public, index := aws.Bool(true), aws.Int32
	for _, c := range []struct {
		interfaces specs
		want       string
	}{
		{
			specs{{DeviceIndex: index(0), NetworkInterfaceId: spare.NetworkInterfaceId}},
			"InvalidNetworkInterface.InUse: Interface: [" + *spare.NetworkInterfaceId + "] in use.",
		},
		{specs{{SubnetId: &front}}, "InvalidParameterValue: Each network interface requires a device index."},
		{
			specs{{DeviceIndex: index(1), SubnetId: &front}},
			"InvalidParameterCombination: When specifying network interfaces, you must include a device at index 0",
		},
		{
			specs{{DeviceIndex: index(0), SubnetId: &front}, {DeviceIndex: index(0), SubnetId: &back}},
			"InvalidParameterValue:",
		},
		{
			specs{
				{DeviceIndex: index(0), SubnetId: &front, AssociatePublicIpAddress: public},
				{DeviceIndex: index(1), SubnetId: &back},
			},
			"InvalidParameterCombination: The associatePublicIPAddress parameter cannot be specified when launching " +
				"with multiple network interfaces",
		},
		{
			specs{{DeviceIndex: index(0), NetworkInterfaceId: spare.NetworkInterfaceId, SubnetId: &front}},
			"InvalidParameterCombination:",
		},
		{
			specs{{DeviceIndex: index(0), SubnetId: &front}, {DeviceIndex: index(1), SubnetId: &other}},
			"InvalidParameterCombination: You may not attach a network interface to an instance if they are not in " +
				"the same availability zone",
		},
		{
			specs{
				{DeviceIndex: index(0), SubnetId: &front}, {DeviceIndex: index(1), SubnetId: &back},
				{DeviceIndex: index(2), SubnetId: &back},
			},
			"AttachmentLimitExceeded: Interface count 3 exceeds the limit for t3.micro",
		},
		{
			specs{{DeviceIndex: index(0), SubnetId: &front, SecondaryPrivateIpAddressCount: index(2)}},
			"PrivateIpAddressLimitExceeded: Number of private addresses will exceed limit.",
		},
	} {
		wantRemoteError(r, r.RunInstances, request(c.interfaces), c.want)
	}
}

func TestRouteLeadsToAnInterfaceWhileItsInstanceRuns(t *testing.T) {
	r := newRemote(t)
	instance := r.running()
	eni := instance.NetworkInterfaces[0].NetworkInterfaceId
	table := doRemote(r, r.CreateRouteTable, &ec2.CreateRouteTableInput{VpcId: instance.VpcId}).RouteTable.RouteTableId
	outside := aws.String("192.0.2.0/24")
	doRemote(r, r.CreateRoute, &ec2.CreateRouteInput{
		RouteTableId: table, DestinationCidrBlock: outside, InstanceId: instance.InstanceId,
	})
	route := func() types.Route {
		t.Helper()
		in := &ec2.DescribeRouteTablesInput{Filters: []types.Filter{
			filter("route-table-id", *table), filter("route.instance-id", *instance.InstanceId),
		}}
		return doRemote(r, r.DescribeRouteTables, in).RouteTables[0].Routes[1]
	}
	if got := route(); *got.NetworkInterfaceId != *eni || *got.InstanceId != *instance.InstanceId ||
		got.State != types.RouteStateActive {
		t.Errorf("the route is %+v", got)
	}
	r.setState(*instance.InstanceId, store.Stopped)
	if got := route(); got.State != types.RouteStateBlackhole {
		t.Errorf("the route to a stopped instance is %s", got.State)
	}
	spare := r.newNIC(instance)
	replace := &ec2.ReplaceRouteInput{RouteTableId: table, DestinationCidrBlock: outside, NetworkInterfaceId: &spare}
	doRemote(r, r.ReplaceRoute, replace)
	shown := doRemote(r, r.DescribeRouteTables, &ec2.DescribeRouteTablesInput{RouteTableIds: []string{*table}})
	if got := shown.RouteTables[0].Routes[1]; *got.NetworkInterfaceId != spare || got.InstanceId != nil ||
		got.State != types.RouteStateBlackhole {
		t.Errorf("the route to an interface that is not attached is %+v", got)
	}
	replace.InstanceId = instance.InstanceId
	wantRemoteError(r, r.ReplaceRoute, replace, "InvalidParameterCombination: The parameter networkInterfaceId "+
		"cannot be used with the parameter instanceId")
	wantRemoteError(r, r.CreateRoute, &ec2.CreateRouteInput{
		RouteTableId: table, DestinationCidrBlock: aws.String("172.31.7.0/24"), NetworkInterfaceId: eni,
	}, "InvalidParameterValue: Route destination doesn't match any subnet CIDR blocks.")
	island := r.cloud.vpc("10.9.0.0/16")
	elsewhere := doRemote(r, r.CreateRouteTable, &ec2.CreateRouteTableInput{VpcId: &island}).RouteTable.RouteTableId
	wantRemoteError(r, r.CreateRoute, &ec2.CreateRouteInput{
		RouteTableId: elsewhere, DestinationCidrBlock: outside, NetworkInterfaceId: eni,
	}, "InvalidParameterValue: route table "+*elsewhere+" and interface "+*eni+" belong to different networks")
}
