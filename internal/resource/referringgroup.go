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

// ReferringGroups returns descriptions of the security groups of others whose rules refer to
// one of some groups, sorted. EC2 does not delete a group that others refer to.
func (c *Cloud) ReferringGroups(ctx context.Context, groups []string) ([]string, error) {
	var all []string
	for _, filter := range []string{"ip-permission.group-id", "egress.ip-permission.group-id"} {
		list, err := collect(
			ctx,
			ec2.NewDescribeSecurityGroupsPaginator(c.EC2, &ec2.DescribeSecurityGroupsInput{
				Filters: []types.Filter{awsapi.Filter(filter, groups...)},
			}),
			func(page *ec2.DescribeSecurityGroupsOutput) []types.SecurityGroup { return page.SecurityGroups },
		)
		if err != nil {
			return nil, fmt.Errorf("list the security groups that refer to %v: %w", groups, err)
		}
		for _, g := range list {
			if tagValue(g.Tags, stack.TagApp) != c.App {
				all = append(all, aws.ToString(g.GroupId)+" ("+aws.ToString(g.GroupName)+")")
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}
