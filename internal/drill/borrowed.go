package drill

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/stack"
)

// borrowSubnets adds to a change the subnets of its zone in which the application is and which
// are not its own. It returns an error if others use one of them, whom a network ACL would cut
// off as well, or if nobody has agreed to a change of the VPC.
func (d *Drill) borrowSubnets(ctx context.Context, c *Change, agreed bool) error {
	groups, err := d.securityGroups(ctx)
	if err != nil || len(groups) == 0 {
		return err
	}
	own, err := d.interfaces(ctx, c.At,
		awsapi.Filter("group-id", groups...), awsapi.Filter("availability-zone", c.At))
	if err != nil || len(own) == 0 {
		return err
	}
	for _, i := range own {
		c.VPCID = aws.ToString(i.VpcId)
		c.Subnets[aws.ToString(i.SubnetId)] = ""
	}
	subnets := slices.Sorted(maps.Keys(c.Subnets))
	all, err := d.interfaces(ctx, c.At, awsapi.Filter("subnet-id", subnets...))
	if err != nil {
		return err
	}
	var others []string
	for _, i := range all {
		if !slices.ContainsFunc(i.Groups, func(g types.GroupIdentifier) bool {
			return slices.Contains(groups, aws.ToString(g.GroupId))
		}) {
			others = append(others, aws.ToString(i.NetworkInterfaceId)+" in "+aws.ToString(i.SubnetId))
		}
	}
	switch {
	case len(others) > 0:
		slices.Sort(others)
		return diag.List{{
			Where: c.At,
			Summary: fmt.Sprintf("cannot be isolated: %d network interfaces of others are in the same subnets of %s",
				len(others), c.VPCID),
			Detail: "a network ACL would cut them off, too: " + strings.Join(others[:min(len(others), 5)], ", "),
			Hint:   "the drills instance, power, app and freeze change nothing outside the application",
		}}
	case !agreed:
		return diag.List{{
			Where:   c.At,
			Summary: fmt.Sprintf("the drill would change %s, which is not the application's", c.VPCID),
			Detail: fmt.Sprintf("it gives %s another network ACL, and afterwards the one that it has now; "+
				"nobody else uses it at present", strings.Join(subnets, " and ")),
			Hint: "add --change-network-acls if its owner agrees",
		}}
	}
	return nil
}

// securityGroups returns the ids of the application's security groups.
func (d *Drill) securityGroups(ctx context.Context) ([]string, error) {
	var ids []string
	pages := ec2.NewDescribeSecurityGroupsPaginator(d.cfg.Client.EC2, &ec2.DescribeSecurityGroupsInput{
		Filters: []types.Filter{awsapi.Filter("tag:"+stack.TagApp, d.cfg.App)},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the security groups of %s: %w", d.cfg.App, err)
		}
		for _, g := range page.SecurityGroups {
			ids = append(ids, aws.ToString(g.GroupId))
		}
	}
	return ids, nil
}

// interfaces returns network interfaces in a zone.
func (d *Drill) interfaces(
	ctx context.Context, zone string, filters ...types.Filter,
) ([]types.NetworkInterface, error) {
	var all []types.NetworkInterface
	pages := ec2.NewDescribeNetworkInterfacesPaginator(d.cfg.Client.EC2, &ec2.DescribeNetworkInterfacesInput{
		Filters: filters,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the network interfaces of %s: %w", zone, err)
		}
		all = append(all, page.NetworkInterfaces...)
	}
	return all, nil
}
