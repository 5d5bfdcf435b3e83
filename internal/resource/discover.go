package resource

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// Discover finds all that carries the application's tag, with a handful of
// questions asked at once.
func (c *Cloud) Discover(ctx context.Context) ([]plan.Found, error) {
	finders := []func(context.Context) ([]plan.Found, error){
		c.vpcs, c.subnets, c.internetGateways, c.routeTables, c.securityGroups, c.keyPairs, c.images, c.launchTemplates, c.servers,
	}
	results := make([][]plan.Found, len(finders))
	balancing, scaling := &balancing{cloud: c}, &scaling{cloud: c}
	group, ctx := errgroup.WithContext(ctx)
	for i, find := range finders {
		group.Go(func() (err error) {
			results[i], err = find(ctx)
			return err
		})
	}
	group.Go(func() error { return balancing.find(ctx) })
	group.Go(func() error { return scaling.find(ctx) })
	if err := group.Wait(); err != nil {
		return nil, err
	}
	servers, members := membersOf(results[len(results)-1], scaling.groups, balancing.health)
	all := slices.Concat(results[:len(results)-1]...)
	for _, g := range balancing.groups {
		all = append(all, targets(g, balancing.health[g.ID], servers, time.Now())...)
	}
	all = slices.Concat(
		all,
		servers,
		members,
		scaling.all(members),
		balancing.groups,
		balancing.balancers,
		balancing.listeners,
	)
	return slices.DeleteFunc(all, func(f plan.Found) bool { return f.Address == "" }), nil
}

// balancing finds what Elastic Load Balancing holds. It cannot select by tags,
// so what has the application's names is asked for its tags.
type balancing struct {
	cloud                        *Cloud
	groups, balancers, listeners []plan.Found
	health                       map[string][]elbtypes.TargetHealthDescription // by target group
}

func (b *balancing) find(ctx context.Context) error {
	group, here := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		b.groups, err = collect(
			here,
			elb.NewDescribeTargetGroupsPaginator(b.cloud.ELB, &elb.DescribeTargetGroupsInput{}),
			func(page *elb.DescribeTargetGroupsOutput) []elbtypes.TargetGroup { return page.TargetGroups },
			describeTargetGroup,
		)
		return wrap("list target groups", err)
	})
	group.Go(func() (err error) {
		b.balancers, err = collect(
			here,
			elb.NewDescribeLoadBalancersPaginator(b.cloud.ELB, &elb.DescribeLoadBalancersInput{}),
			func(page *elb.DescribeLoadBalancersOutput) []elbtypes.LoadBalancer { return page.LoadBalancers },
			describeLoadBalancer,
		)
		return wrap("list load balancers", err)
	})
	if err := group.Wait(); err != nil {
		return err
	}
	var err error
	if b.groups, b.balancers, err = b.ours(ctx); err != nil {
		return err
	}
	return b.details(ctx)
}

func wrap(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// ours keeps what carries the application's tag, and gives it its address.
func (b *balancing) ours(ctx context.Context) (groups, balancers []plan.Found, err error) {
	named := func(f plan.Found) bool { return !strings.HasPrefix(f.Name, b.cloud.App+"-") }
	groups, balancers = slices.DeleteFunc(b.groups, named), slices.DeleteFunc(b.balancers, named)
	tags := map[string][]elbtypes.Tag{}
	var arns []string
	for _, f := range slices.Concat(groups, balancers) {
		arns = append(arns, f.ID)
	}
	for chunk := range slices.Chunk(arns, 20) { // the most that DescribeTags takes
		list, err := b.cloud.ELB.DescribeTags(ctx, &elb.DescribeTagsInput{ResourceArns: chunk})
		if awsapi.IsNotFound(err) { // one has just gone: ask for each
			list, err = b.tagsOfEach(ctx, chunk)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read the tags of load balancers: %w", err)
		}
		for _, d := range list.TagDescriptions {
			tags[aws.ToString(d.ResourceArn)] = d.Tags
		}
	}
	keep := func(all []plan.Found) []plan.Found {
		var kept []plan.Found
		for _, f := range all {
			if elbTag(tags[f.ID], stack.TagApp) == b.cloud.App {
				f.Address = elbTag(tags[f.ID], stack.TagAddress)
				kept = append(kept, f)
			}
		}
		return kept
	}
	return keep(groups), keep(balancers), nil
}

func (b *balancing) tagsOfEach(ctx context.Context, arns []string) (*elb.DescribeTagsOutput, error) {
	all := &elb.DescribeTagsOutput{}
	for _, arn := range arns {
		list, err := b.cloud.ELB.DescribeTags(ctx, &elb.DescribeTagsInput{ResourceArns: []string{arn}})
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

func elbTag(tags []elbtypes.Tag, key string) string {
	for _, t := range tags {
		if aws.ToString(t.Key) == key {
			return aws.ToString(t.Value)
		}
	}
	return ""
}

// details reads attributes, health and listeners, at once.
func (b *balancing) details(ctx context.Context) error {
	health := make([][]elbtypes.TargetHealthDescription, len(b.groups))
	listeners := make([][]plan.Found, len(b.balancers))
	group, ctx := errgroup.WithContext(ctx)
	for i := range b.groups {
		g := &b.groups[i]
		group.Go(func() error {
			list, err := b.cloud.ELB.DescribeTargetGroupAttributes(
				ctx,
				&elb.DescribeTargetGroupAttributesInput{TargetGroupArn: &g.ID},
			)
			if err != nil {
				return gone(err, "read the attributes of target group "+g.Name)
			}
			for _, a := range list.Attributes {
				if aws.ToString(a.Key) == delayAttribute {
					g.Set("deregistration delay", aws.ToString(a.Value)+"s")
				}
			}
			return nil
		})
		group.Go(func() error {
			list, err := b.cloud.ELB.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: &g.ID})
			if err != nil {
				return gone(err, "read the health of target group "+g.Name)
			}
			health[i] = list.TargetHealthDescriptions
			return nil
		})
	}
	for i, balancer := range b.balancers {
		group.Go(func() error {
			found, err := collect(
				ctx,
				elb.NewDescribeListenersPaginator(
					b.cloud.ELB,
					&elb.DescribeListenersInput{LoadBalancerArn: &balancer.ID},
				),
				func(page *elb.DescribeListenersOutput) []elbtypes.Listener { return page.Listeners },
				describeListener,
			)
			listeners[i] = found
			return gone(err, "list the listeners of "+balancer.Name)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	b.health = map[string][]elbtypes.TargetHealthDescription{}
	for i, g := range b.groups {
		b.health[g.ID] = health[i]
	}
	for _, f := range slices.Concat(listeners...) {
		f.Address = stack.AddressListener // of a load balancer that is all ours
		b.listeners = append(b.listeners, f)
	}
	return nil
}

// gone passes over what was deleted since it was listed.
func gone(err error, what string) error {
	if awsapi.IsNotFound(err) {
		return nil
	}
	return wrap(what, err)
}

// Leftovers lists what still carries the application's tag, of every kind that
// EC2, Elastic Load Balancing and Auto Scaling know, and alarms; images and their snapshots only when
// they are to be gone too. Terminated machines and their disks stay visible for
// a while and are none.
func (c *Cloud) Leftovers(ctx context.Context, images bool) ([]string, error) {
	known, err := c.Discover(ctx)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, f := range known {
		if f.Kind != stack.KindImage || images {
			all = append(all, f.ID)
		}
	}
	list, err := collect(
		ctx,
		ec2.NewDescribeTagsPaginator(
			c.EC2,
			&ec2.DescribeTagsInput{Filters: []types.Filter{filter("key", stack.TagApp), filter("value", c.App)}},
		),
		func(page *ec2.DescribeTagsOutput) []types.TagDescription { return page.Tags },
		func(t types.TagDescription) types.TagDescription { return t },
	)
	if err != nil {
		return nil, fmt.Errorf("list tags: %w", err)
	}
	passing := []types.ResourceType{types.ResourceTypeInstance, types.ResourceTypeVolume, types.ResourceTypeKeyPair}
	if !images {
		passing = append(passing, types.ResourceTypeImage, types.ResourceTypeSnapshot)
	}
	for _, t := range list {
		if id := aws.ToString(t.ResourceId); !slices.Contains(passing, t.ResourceType) && !slices.Contains(all, id) {
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
