package resource

import (
	"context"
	"fmt"
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
// instances and their disks stay visible for a while and are not included.
func (c *Cloud) Leftovers(ctx context.Context, images bool) ([]string, error) {
	found, err := c.Discover(ctx)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, f := range found {
		if f.Kind != stack.KindImage || images {
			all = append(all, f.ID)
		}
	}
	tags, err := collect(
		ctx,
		ec2.NewDescribeTagsPaginator(c.EC2, &ec2.DescribeTagsInput{
			Filters: []types.Filter{awsapi.Filter("key", stack.TagApp), awsapi.Filter("value", c.App)},
		}),
		func(page *ec2.DescribeTagsOutput) []types.TagDescription { return page.Tags },
	)
	if err != nil {
		return nil, fmt.Errorf("list tags: %w", err)
	}
	ignored := []types.ResourceType{types.ResourceTypeInstance, types.ResourceTypeVolume, types.ResourceTypeKeyPair}
	if !images {
		ignored = append(ignored, types.ResourceTypeImage, types.ResourceTypeSnapshot)
	}
	for _, t := range tags {
		if id := aws.ToString(t.ResourceId); !slices.Contains(ignored, t.ResourceType) && !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	alarms, err := c.Alarms(ctx, stack.ScalingName(c.App))
	if err != nil {
		return nil, err
	}
	for _, a := range alarms {
		all = append(all, aws.ToString(a.AlarmName))
	}
	slices.Sort(all)
	return all, nil
}
