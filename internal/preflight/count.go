package preflight

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// paginator is a paginator of the SDK.
type paginator[Page, Options any] interface {
	HasMorePages() bool
	NextPage(context.Context, ...func(*Options)) (*Page, error)
}

// count returns the number of items on all pages.
func count[Page, Options any](
	ctx context.Context, what string, pages paginator[Page, Options], items func(*Page) int,
) (int, error) {
	n := 0
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, fmt.Errorf("count %s: %w", what, err)
		}
		n += items(page)
	}
	return n, nil
}

func (c Config) vpcs(ctx context.Context) (int, error) {
	pages := ec2.NewDescribeVpcsPaginator(c.Client.EC2, &ec2.DescribeVpcsInput{})
	return count(ctx, "VPCs", pages, func(p *ec2.DescribeVpcsOutput) int { return len(p.Vpcs) })
}

func (c Config) gateways(ctx context.Context) (int, error) {
	pages := ec2.NewDescribeInternetGatewaysPaginator(c.Client.EC2, &ec2.DescribeInternetGatewaysInput{})
	return count(ctx, "internet gateways", pages,
		func(p *ec2.DescribeInternetGatewaysOutput) int { return len(p.InternetGateways) })
}

func (c Config) elasticIPs(ctx context.Context) (int, error) {
	list, err := c.Client.EC2.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{})
	if err != nil {
		return 0, fmt.Errorf("count Elastic IP addresses: %w", err)
	}
	return len(list.Addresses), nil
}

func (c Config) securityGroups(ctx context.Context) (int, error) {
	pages := ec2.NewDescribeSecurityGroupsPaginator(c.Client.EC2, &ec2.DescribeSecurityGroupsInput{})
	return count(ctx, "security groups", pages,
		func(p *ec2.DescribeSecurityGroupsOutput) int { return len(p.SecurityGroups) })
}

func (c Config) launchTemplates(ctx context.Context) (int, error) {
	pages := ec2.NewDescribeLaunchTemplatesPaginator(c.Client.EC2, &ec2.DescribeLaunchTemplatesInput{})
	return count(ctx, "launch templates", pages,
		func(p *ec2.DescribeLaunchTemplatesOutput) int { return len(p.LaunchTemplates) })
}

// loadBalancers counts Application Load Balancers; the other types have quotas of
// their own.
func (c Config) loadBalancers(ctx context.Context) (int, error) {
	pages := elb.NewDescribeLoadBalancersPaginator(c.Client.ELB, &elb.DescribeLoadBalancersInput{})
	return count(ctx, "load balancers", pages, func(p *elb.DescribeLoadBalancersOutput) int {
		n := 0
		for _, b := range p.LoadBalancers {
			if b.Type == types.LoadBalancerTypeEnumApplication {
				n++
			}
		}
		return n
	})
}

func (c Config) targetGroups(ctx context.Context) (int, error) {
	pages := elb.NewDescribeTargetGroupsPaginator(c.Client.ELB, &elb.DescribeTargetGroupsInput{})
	return count(ctx, "target groups", pages,
		func(p *elb.DescribeTargetGroupsOutput) int { return len(p.TargetGroups) })
}

func (c Config) scalingGroups(ctx context.Context) (int, error) {
	limits, err := c.Client.ASG.DescribeAccountLimits(ctx, &autoscaling.DescribeAccountLimitsInput{})
	if err != nil {
		return 0, fmt.Errorf("count Auto Scaling groups: %w", err)
	}
	return int(aws.ToInt32(limits.NumberOfAutoScalingGroups)), nil
}
