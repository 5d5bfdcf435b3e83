package resource

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/stack"
)

// Leftovers returns the ids of everything that still belongs to the application:
// tagged resources of EC2, Elastic Load Balancing and Auto Scaling, and alarms.
// Images and their snapshots are included only if images is set. Terminated
// instances and their disks stay visible for a while and are not included. It calls
// unchecked as DiscoverOffered does.
func (c *Cloud) Leftovers(ctx context.Context, images bool, unchecked func(operation string)) ([]string, error) {
	d := &discovery{unchecked: unchecked}
	found, err := c.listTagged(ctx, unchecked)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, f := range found {
		if f.Kind != stack.KindImage || images {
			all = append(all, f.ID)
		}
	}
	tags, err := c.otherTags(ctx, images)
	if err := d.ignoreUnsupported(err); err != nil {
		return nil, err
	}
	for _, t := range tags {
		all = append(all, aws.ToString(t.ResourceId))
	}
	alarms, err := c.Alarms(ctx, stack.ScalingName(c.App))
	if err := d.ignoreUnsupported(err); err != nil {
		return nil, err
	}
	for _, a := range alarms {
		all = append(all, aws.ToString(a.AlarmName))
	}
	slices.Sort(all)
	return all, nil
}

// listedTypes are the types of EC2's resources that discovery lists. The tags of such a
// resource may be listed for longer than the resource itself.
var listedTypes = []types.ResourceType{
	types.ResourceTypeVpc, types.ResourceTypeSubnet, types.ResourceTypeInternetGateway, types.ResourceTypeRouteTable,
	types.ResourceTypeSecurityGroup, types.ResourceTypeKeyPair, types.ResourceTypeInstance, types.ResourceTypeImage,
	types.ResourceTypeLaunchTemplate, types.ResourceTypeInstanceConnectEndpoint, types.ResourceTypeElasticIp,
	types.ResourceTypeNatgateway,
}

// otherTags returns the application's tags of resources of EC2 that discovery does not
// list, apart from those that may stay.
func (c *Cloud) otherTags(ctx context.Context, images bool) ([]types.TagDescription, error) {
	tags, err := collect(
		ctx,
		ec2.NewDescribeTagsPaginator(c.EC2, &ec2.DescribeTagsInput{
			Filters: []types.Filter{awsapi.Filter("key", stack.TagApp), awsapi.Filter("value", c.App)},
		}),
		func(page *ec2.DescribeTagsOutput) []types.TagDescription { return page.Tags },
	)
	ignored := append([]types.ResourceType{types.ResourceTypeVolume}, listedTypes...)
	if !images {
		ignored = append(ignored, types.ResourceTypeSnapshot)
	}
	return slices.DeleteFunc(tags, func(t types.TagDescription) bool {
		return slices.Contains(ignored, t.ResourceType)
	}), awsapi.Wrap("list tags", err)
}
