package resource

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// maxTagARNs is the most ARNs that DescribeTags accepts.
const maxTagARNs = 20

type elbTagAPI interface {
	AddTags(context.Context, *elb.AddTagsInput, ...func(*elb.Options)) (*elb.AddTagsOutput, error)
	RemoveTags(context.Context, *elb.RemoveTagsInput, ...func(*elb.Options)) (*elb.RemoveTagsOutput, error)
	DescribeTags(context.Context, *elb.DescribeTagsInput, ...func(*elb.Options)) (*elb.DescribeTagsOutput, error)
}

func elbTags(tags []tag) []types.Tag {
	all := make([]types.Tag, len(tags))
	for i, t := range tags {
		all[i] = types.Tag{Key: aws.String(t.key), Value: aws.String(t.value)}
	}
	return all
}

// loadBalancing holds the application's target groups and load balancers, and the
// tags of both by ARN. Elastic Load Balancing cannot select by tags, so the
// tags of everything with the application's names are read.
type loadBalancing struct {
	groups    []types.TargetGroup
	balancers []types.LoadBalancer
	tags      map[string]map[string]string
}

// findLoadBalancing returns the application's target groups and load balancers.
func (d *discovery) findLoadBalancing(ctx context.Context) (loadBalancing, error) {
	return d.loadBalancing.get(func() (b loadBalancing, err error) {
		group, listing := errgroup.WithContext(ctx)
		group.Go(func() (err error) {
			b.groups, err = d.listTargetGroups(listing)
			return d.ignoreUnsupported(err)
		})
		group.Go(func() (err error) {
			b.balancers, err = d.listLoadBalancers(listing)
			return d.ignoreUnsupported(err)
		})
		if err := group.Wait(); err != nil {
			return b, err
		}
		var arns []string
		for _, g := range b.groups {
			arns = append(arns, aws.ToString(g.TargetGroupArn))
		}
		for _, l := range b.balancers {
			arns = append(arns, aws.ToString(l.LoadBalancerArn))
		}
		b.tags, err = d.elbTagsOf(ctx, arns)
		if err := d.ignoreUnsupported(err); err != nil {
			return b, err
		}
		b.groups = slices.DeleteFunc(b.groups, func(g types.TargetGroup) bool {
			_, ours := b.tags[aws.ToString(g.TargetGroupArn)]
			return !ours
		})
		b.balancers = slices.DeleteFunc(b.balancers, func(l types.LoadBalancer) bool {
			_, ours := b.tags[aws.ToString(l.LoadBalancerArn)]
			return !ours
		})
		return b, nil
	})
}

// named reports whether a name is one that Aloft gives the application's target
// groups and load balancers.
func (c *Cloud) named(name *string) bool { return strings.HasPrefix(aws.ToString(name), c.App+"-") }

// elbTagsOf returns the tags of the ARNs that carry the application's tag.
func (c *Cloud) elbTagsOf(ctx context.Context, arns []string) (map[string]map[string]string, error) {
	ours := map[string]map[string]string{}
	for chunk := range slices.Chunk(arns, maxTagARNs) {
		list, err := c.ELB.DescribeTags(ctx, &elb.DescribeTagsInput{ResourceArns: chunk})
		if awsapi.IsNotFound(err) { // one was deleted since it was listed
			list, err = c.elbTagsOfEach(ctx, chunk)
		}
		if err != nil {
			return nil, fmt.Errorf("read the tags of load balancers: %w", err)
		}
		for _, d := range list.TagDescriptions {
			tags := tagsOf(d.Tags, func(t types.Tag) (key, value *string) { return t.Key, t.Value })
			if tags[stack.TagApp] == c.App {
				ours[aws.ToString(d.ResourceArn)] = tags
			}
		}
	}
	return ours, nil
}

func (c *Cloud) elbTagsOfEach(ctx context.Context, arns []string) (*elb.DescribeTagsOutput, error) {
	all := &elb.DescribeTagsOutput{}
	for _, arn := range arns {
		list, err := c.ELB.DescribeTags(ctx, &elb.DescribeTagsInput{ResourceArns: []string{arn}})
		if awsapi.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all.TagDescriptions = append(all.TagDescriptions, list.TagDescriptions...)
	}
	return all, nil
}

// setELBTags sets the address of a target group or load balancer and its tags.
func (b loadBalancing) setELBTags(f *plan.Found) {
	f.Address = b.tags[f.ID][stack.TagAddress]
	setTags(f, b.tags[f.ID])
}
