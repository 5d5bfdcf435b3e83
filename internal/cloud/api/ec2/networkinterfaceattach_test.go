package ec2

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/store"
)

// newNIC creates a network interface in the subnet of an instance and returns its id.
func (r *remote) newNIC(instance types.Instance) string {
	r.t.Helper()
	in := &ec2.CreateNetworkInterfaceInput{SubnetId: instance.SubnetId}
	return *doRemote(r, r.CreateNetworkInterface, in).NetworkInterface.NetworkInterfaceId
}

func (r *remote) describeNIC(id string) types.NetworkInterface {
	r.t.Helper()
	in := &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{id}}
	return doRemote(r, r.DescribeNetworkInterfaces, in).NetworkInterfaces[0]
}

func (r *remote) attach(instance types.Instance, id string, index int32) (attachment string) {
	r.t.Helper()
	return *doRemote(r, r.AttachNetworkInterface, &ec2.AttachNetworkInterfaceInput{
		NetworkInterfaceId: &id, InstanceId: instance.InstanceId, DeviceIndex: &index,
	}).AttachmentId
}

// privateTexts returns the private addresses of an interface, the primary one first.
func privateTexts(eni types.NetworkInterface) []string {
	return list(
		eni.PrivateIpAddresses,
		func(a types.NetworkInterfacePrivateIpAddress) string { return *a.PrivateIpAddress },
	)
}

func TestCreateNetworkInterfaceHasTheAddressesThatARequestAsksFor(t *testing.T) {
	r := newRemote(t)
	vpc := r.cloud.vpc("10.0.0.0/16")
	subnet := r.cloud.subnet(vpc, "10.0.1.0/24", "us-east-1a")
	listed := func(primary string, all ...string) (specs []types.PrivateIpAddressSpecification) {
		for _, text := range all {
			specs = append(specs, types.PrivateIpAddressSpecification{
				PrivateIpAddress: &text, Primary: aws.Bool(text == primary),
			})
		}
		return specs
	}
	created := doRemote(r, r.CreateNetworkInterface, &ec2.CreateNetworkInterfaceInput{
		SubnetId: &subnet, PrivateIpAddresses: listed("10.0.1.21", "10.0.1.20", "10.0.1.21"),
		Description:       aws.String("spare"),
		TagSpecifications: specification(types.ResourceTypeNetworkInterface, "Name", "spare"),
		ClientToken:       aws.String("once"),
	})
	eni := created.NetworkInterface
	if eni.Status != "pending" || *created.ClientToken != "once" {
		t.Errorf("created as %+v", created)
	}
	if got := privateTexts(*eni); !slices.Equal(got, []string{"10.0.1.21", "10.0.1.20"}) {
		t.Errorf("it has the addresses %v", got)
	}
	shown := r.describeNIC(*eni.NetworkInterfaceId)
	if shown.Status != types.NetworkInterfaceStatusAvailable || shown.Attachment != nil ||
		*shown.Description != "spare" || *shown.Groups[0].GroupName != "default" || *shown.TagSet[0].Value != "spare" {
		t.Errorf("described as %+v", shown)
	}
	counted := doRemote(r, r.CreateNetworkInterface, &ec2.CreateNetworkInterfaceInput{
		SubnetId: &subnet, PrivateIpAddress: aws.String("10.0.1.30"), SecondaryPrivateIpAddressCount: aws.Int32(2),
	}).NetworkInterface
	if got := privateTexts(*counted); len(got) != 3 || got[0] != "10.0.1.30" {
		t.Errorf("with a count it has the addresses %v", got)
	}
	for _, c := range []struct {
		change func(in *ec2.CreateNetworkInterfaceInput)
		want   string
	}{
		{func(in *ec2.CreateNetworkInterfaceInput) { in.SubnetId = nil }, "MissingParameter:"},
		{
			func(in *ec2.CreateNetworkInterfaceInput) { in.PrivateIpAddress = aws.String("10.0.1.20") },
			"InvalidIPAddress.InUse: The specified address is already in use.",
		},
		{
			func(in *ec2.CreateNetworkInterfaceInput) { in.PrivateIpAddress = aws.String("10.0.2.20") },
			"InvalidParameterValue:",
		},
		{
			func(in *ec2.CreateNetworkInterfaceInput) {
				in.PrivateIpAddress, in.PrivateIpAddresses = aws.String("10.0.1.40"), listed("10.0.1.41", "10.0.1.41")
			},
			"InvalidParameterCombination: Only one private IP address can be designated as primary.",
		},
		{
			func(in *ec2.CreateNetworkInterfaceInput) {
				in.SecondaryPrivateIpAddressCount = aws.Int32(1)
				in.PrivateIpAddresses = listed("10.0.1.41", "10.0.1.41", "10.0.1.42")
			},
			"InvalidParameterCombination:",
		},
		{func(in *ec2.CreateNetworkInterfaceInput) { in.Ipv6PrefixCount = aws.Int32(1) }, "UnsupportedOperation:"},
		{func(in *ec2.CreateNetworkInterfaceInput) { in.DryRun = aws.Bool(true) }, dryRun},
	} {
		in := &ec2.CreateNetworkInterfaceInput{SubnetId: &subnet}
		c.change(in)
		wantRemoteError(r, r.CreateNetworkInterface, in, c.want)
	}
	free := func() int32 {
		in := &ec2.DescribeSubnetsInput{SubnetIds: []string{subnet}}
		return *doRemote(r, r.DescribeSubnets, in).Subnets[0].AvailableIpAddressCount
	}
	if got := free(); got != 251-5 {
		t.Errorf("%d addresses are free", got)
	}
	doRemote(r, r.DeleteNetworkInterface,
		&ec2.DeleteNetworkInterfaceInput{NetworkInterfaceId: counted.NetworkInterfaceId})
	if got := free(); got != 251-2 {
		t.Errorf("%d addresses are free after a deletion", got)
	}
}

func TestNetworkInterfaceIsAttachedAndDetached(t *testing.T) {
	r := newRemote(t)
	instance := r.running() // a t3.micro: two interfaces with two addresses each
	spare, third := r.newNIC(instance), r.newNIC(instance)
	attachment := r.attach(instance, spare, 1)
	shown := r.describeNIC(spare)
	if shown.Status != types.NetworkInterfaceStatusInUse || *shown.Attachment.AttachmentId != attachment ||
		*shown.Attachment.DeviceIndex != 1 || *shown.Attachment.InstanceId != *instance.InstanceId ||
		*shown.Attachment.DeleteOnTermination {
		t.Errorf("attached as %+v", shown.Attachment)
	}
	seen := r.instance(*instance.InstanceId)
	if len(seen.NetworkInterfaces) != 2 || *seen.NetworkInterfaces[1].NetworkInterfaceId != spare ||
		*seen.PrivateIpAddress != *instance.PrivateIpAddress {
		t.Errorf("the instance has %+v", seen.NetworkInterfaces)
	}
	try := func(id string, index int32, want string) {
		t.Helper()
		wantRemoteError(r, r.AttachNetworkInterface, &ec2.AttachNetworkInterfaceInput{
			NetworkInterfaceId: &id, InstanceId: instance.InstanceId, DeviceIndex: &index,
		}, want)
	}
	try(spare, 2, "InvalidNetworkInterface.InUse: Interface: ["+spare+"] in use.")
	try(third, 1, "InvalidParameterValue: Instance '"+*instance.InstanceId+
		"' already has an interface attached at device index '1'.")
	try(third, 2, "AttachmentLimitExceeded: Interface count 3 exceeds the limit for t3.micro")
	doRemote(r, r.ModifyNetworkInterfaceAttribute, &ec2.ModifyNetworkInterfaceAttributeInput{
		NetworkInterfaceId: &spare, Attachment: &types.NetworkInterfaceAttachmentChanges{
			AttachmentId: &attachment, DeleteOnTermination: aws.Bool(true),
		},
	})
	if shown := r.describeNIC(spare); !*shown.Attachment.DeleteOnTermination {
		t.Error("the interface would outlive its instance")
	}
	primary := instance.NetworkInterfaces[0].Attachment.AttachmentId
	wantRemoteError(r, r.DetachNetworkInterface, &ec2.DetachNetworkInterfaceInput{AttachmentId: primary},
		"OperationNotPermitted: The network interface at device index 0 and networkCard index 0 cannot be detached.")
	wantRemoteError(
		r, r.DetachNetworkInterface, &ec2.DetachNetworkInterfaceInput{AttachmentId: aws.String("eni-attach-0")},
		"InvalidAttachmentID.NotFound: The interface attachment 'eni-attach-0' does not exist.",
	)
	doRemote(r, r.DetachNetworkInterface, &ec2.DetachNetworkInterfaceInput{
		AttachmentId: &attachment, Force: aws.Bool(true),
	})
	if shown := r.describeNIC(spare); shown.Status != types.NetworkInterfaceStatusAvailable ||
		shown.Attachment != nil || len(r.instance(*instance.InstanceId).NetworkInterfaces) != 1 {
		t.Errorf("detached as %+v", shown)
	}
	island := r.cloud.nic(addressing.InterfaceSpec{}, r.cloud.subnet(*instance.VpcId, "172.31.240.0/24",
		map[string]string{"us-east-1a": "us-east-1b"}[*instance.Placement.AvailabilityZone])).ID
	try(island, 1, "InvalidParameterCombination: You may not attach a network interface to an instance if they are "+
		"not in the same availability zone")
	many := doRemote(r, r.CreateNetworkInterface, &ec2.CreateNetworkInterfaceInput{
		SubnetId: instance.SubnetId, SecondaryPrivateIpAddressCount: aws.Int32(2),
	}).NetworkInterface
	try(*many.NetworkInterfaceId, 1, "InvalidInterface.IpAddressLimitExceeded: Address count 3 on interface"+
		strings.TrimPrefix(*many.NetworkInterfaceId, "eni")+" exceeds the limit for t3.micro")
	r.setState(*instance.InstanceId, store.ShuttingDown)
	try(spare, 1, "IncorrectState:")
}

func TestAttributesOfANetworkInterfaceChange(t *testing.T) {
	r := newRemote(t)
	instance := r.running()
	id := *instance.NetworkInterfaces[0].NetworkInterfaceId
	group := r.cloud.group(*instance.VpcId, "web")
	modify := func(in *ec2.ModifyNetworkInterfaceAttributeInput) {
		t.Helper()
		in.NetworkInterfaceId = &id
		doRemote(r, r.ModifyNetworkInterfaceAttribute, in)
	}
	modify(&ec2.ModifyNetworkInterfaceAttributeInput{Description: &types.AttributeValue{Value: aws.String("front")}})
	modify(&ec2.ModifyNetworkInterfaceAttributeInput{Groups: []string{group}})
	modify(&ec2.ModifyNetworkInterfaceAttributeInput{
		SourceDestCheck: &types.AttributeBooleanValue{Value: aws.Bool(false)},
	})
	shown := r.describeNIC(id)
	if *shown.Description != "front" || *shown.Groups[0].GroupId != group || *shown.SourceDestCheck ||
		*r.instance(*instance.InstanceId).SourceDestCheck {
		t.Errorf("modified to %+v", shown)
	}
	doRemote(r, r.ResetNetworkInterfaceAttribute, &ec2.ResetNetworkInterfaceAttributeInput{
		NetworkInterfaceId: &id, SourceDestCheck: aws.String("true"),
	})
	if !*r.describeNIC(id).SourceDestCheck || !*r.instance(*instance.InstanceId).SourceDestCheck {
		t.Error("the check was not reset")
	}
	for _, c := range []struct {
		in   ec2.ModifyNetworkInterfaceAttributeInput
		want string
	}{
		{ec2.ModifyNetworkInterfaceAttributeInput{}, "InvalidParameterCombination: No attributes specified."},
		{
			ec2.ModifyNetworkInterfaceAttributeInput{
				Description: &types.AttributeValue{Value: aws.String("x")}, Groups: []string{group},
			},
			"InvalidParameterCombination: Fields for multiple attribute types specified: description, groupSet",
		},
		{
			ec2.ModifyNetworkInterfaceAttributeInput{AssociatedSubnetIds: []string{"subnet-0"}},
			"UnsupportedOperation: aloft's local cloud does not support the parameter associatedSubnetIds",
		},
		{
			ec2.ModifyNetworkInterfaceAttributeInput{Attachment: &types.NetworkInterfaceAttachmentChanges{
				AttachmentId: aws.String("eni-attach-0"), DeleteOnTermination: aws.Bool(true),
			}},
			"InvalidAttachmentID.NotFound:",
		},
		{
			ec2.ModifyNetworkInterfaceAttributeInput{Groups: []string{"sg-0123456789abcdef0"}},
			"InvalidGroup.NotFound:",
		},
	} {
		c.in.NetworkInterfaceId = &id
		wantRemoteError(r, r.ModifyNetworkInterfaceAttribute, &c.in, c.want)
	}
	managed := r.cloud.nic(addressing.InterfaceSpec{LoadBalancerARN: "arn:lb"}, *instance.SubnetId).ID
	wantRemoteError(r, r.ModifyNetworkInterfaceAttribute, &ec2.ModifyNetworkInterfaceAttributeInput{
		NetworkInterfaceId: &managed, Description: &types.AttributeValue{Value: aws.String("mine")},
	}, "AuthFailure:")
}

// What EC2 does not decide for an instance with several interfaces, the caller must.
func TestInstanceWithSeveralInterfacesNeedsTheIDOfOne(t *testing.T) {
	r := newRemote(t)
	instance := r.running()
	r.attach(instance, r.newNIC(instance), 1)
	id, _ := r.allocate()
	want := "InvalidInstanceID: There are multiple interfaces attached to instance '" + *instance.InstanceId +
		"'. Please specify an interface ID for the operation instead."
	wantRemoteError(r, r.AssociateAddress, &ec2.AssociateAddressInput{
		AllocationId: &id, InstanceId: instance.InstanceId,
	}, want)
	wantRemoteError(r, r.ModifyInstanceAttribute, &ec2.ModifyInstanceAttributeInput{
		InstanceId: instance.InstanceId, SourceDestCheck: &types.AttributeBooleanValue{Value: aws.Bool(false)},
	}, want)
	wantRemoteError(r, r.ModifyInstanceAttribute, &ec2.ModifyInstanceAttributeInput{
		InstanceId: instance.InstanceId, Groups: []string{r.cloud.group(*instance.VpcId, "web")},
	}, want)
}
