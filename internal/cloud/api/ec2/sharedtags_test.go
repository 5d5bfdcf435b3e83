package ec2

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestAccountsTagWhatIsSharedWithThemForThemselves(t *testing.T) {
	c := newCloud(t)
	c.Simulated = true
	other := &cloud{c.API, t, in("111122223333/" + home)}
	mine, theirs := c.vpc("10.0.0.0/16"), other.vpc("10.1.0.0/16")
	id := *do(c, c.CreateVpcPeeringConnection, &ec2.CreateVpcPeeringConnectionInput{
		VpcId: &mine, PeerVpcId: &theirs, PeerOwnerId: aws.String("111122223333"),
		TagSpecifications: specification(types.ResourceTypeVpcPeeringConnection, "side", "requester"),
	}).VpcPeeringConnection.VpcPeeringConnectionId
	accept := &ec2.AcceptVpcPeeringConnectionInput{VpcPeeringConnectionId: &id}
	if got := do(other, c.AcceptVpcPeeringConnection, accept).VpcPeeringConnection.Tags; len(got) != 0 {
		t.Errorf("the accepter sees %+v", got)
	}
	do(other, c.CreateTags, &ec2.CreateTagsInput{
		Resources: []string{id}, Tags: []types.Tag{{Key: aws.String("side"), Value: aws.String("accepter")}},
	})
	for want, account := range map[string]*cloud{"requester": c, "accepter": other} {
		in := &ec2.DescribeVpcPeeringConnectionsInput{Filters: []types.Filter{filter("tag:side", want)}}
		found := do(account, c.DescribeVpcPeeringConnections, in).VpcPeeringConnections
		if len(found) != 1 || *found[0].Tags[0].Value != want {
			t.Errorf("the %s finds %+v", want, found)
		}
		tags := do(account, c.DescribeTags, &ec2.DescribeTagsInput{
			Filters: []types.Filter{filter("resource-id", id)},
		}).Tags
		values := list(tags, func(tag types.TagDescription) string { return *tag.Value })
		if diff := cmp.Diff([]string{want}, values); diff != "" {
			t.Errorf("tags of the %s: %s", want, diff)
		}
	}
	do(other, c.DeleteTags, &ec2.DeleteTagsInput{Resources: []string{id}})
	tagsOf := func(ctx context.Context) int {
		out, err := c.DescribeVpcPeeringConnections(ctx, &ec2.DescribeVpcPeeringConnectionsInput{})
		if err != nil {
			t.Fatal(err)
		}
		return len(out.VpcPeeringConnections[0].Tags)
	}
	if tagsOf(other.ctx) != 0 || tagsOf(c.ctx) != 1 {
		t.Errorf("the accepter, which deleted its tags, has %d, the requester %d", tagsOf(other.ctx), tagsOf(c.ctx))
	}
}

func TestMappingsWithoutVolumesMakeNone(t *testing.T) {
	c := newCloud(t)
	launched := c.launch(func(in *ec2.RunInstancesInput) {
		in.BlockDeviceMappings = []types.BlockDeviceMapping{
			{DeviceName: aws.String("/dev/sdb"), VirtualName: aws.String("ephemeral0")},
			{DeviceName: aws.String("/dev/sdc"), NoDevice: aws.String("")},
		}
	})
	if volumes := store.VolumesByInstance.List(c.Store.View(), *launched.InstanceId); len(volumes) != 1 {
		t.Errorf("%d volumes", len(volumes))
	}
	in := launchOne(c.availableImage())
	in.BlockDeviceMappings = []types.BlockDeviceMapping{
		{DeviceName: aws.String("/dev/sdb"), VirtualName: aws.String("memory0")},
	}
	wantError(c, c.RunInstances, in,
		"UnsupportedOperation: aloft's local cloud does not support the parameter blockDeviceMapping: /dev/sdb")
}
