package autoscaling

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// attachment is a target group of an Auto Scaling group with the state of the
// group's instances in it (Amazon EC2 Auto Scaling API Reference,
// LoadBalancerTargetGroupState).
type attachment struct{ arn, state string }

// attachments returns an Auto Scaling group's target groups, sorted by ARN.
func attachments(r store.Reader, g *store.ScalingGroup) []attachment {
	var out []attachment
	for _, arn := range g.TargetGroupARNs {
		out = append(out, attachment{arn, attachmentState(r, g, arn)})
	}
	for _, arn := range g.DetachedTargetGroups {
		out = append(out, attachment{arn, "Removing"})
	}
	slices.SortFunc(out, func(a, b attachment) int { return cmp.Compare(a.arn, b.arn) })
	return out
}

func attachmentState(r store.Reader, g *store.ScalingGroup, arn string) string {
	inService, registered, healthy := 0, 0, false
	for _, i := range scalinggroup.Instances(r, g.Key()) {
		if i.State != store.LifecycleInService {
			continue
		}
		inService++
		for _, t := range store.TargetsByID.List(r, i.InstanceID) {
			if t.TargetGroupARN == arn && t.DeregisteredAt.IsZero() {
				registered++
				healthy = healthy || t.State == "healthy"
			}
		}
	}
	switch {
	case healthy || inService == 0:
		return "InService"
	case registered < inService:
		return "Adding"
	}
	return "Added"
}

func attachmentARN(t attachment) string { return t.arn }

// DescribeLoadBalancerTargetGroups returns an Auto Scaling group's target
// groups and whether its instances are registered and healthy there.
func (a *API) DescribeLoadBalancerTargetGroups(
	ctx context.Context, in *autoscaling.DescribeLoadBalancerTargetGroupsInput,
) (*autoscaling.DescribeLoadBalancerTargetGroupsOutput, error) {
	view := a.Store.Read(ctx)
	g, err := findGroup(view, wire.RegionFrom(ctx), in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	page := pageRequest{in.MaxRecords, in.NextToken, 100, 100}
	rows, next, err := paginate(page, attachments(view, g), attachmentARN)
	out := &autoscaling.DescribeLoadBalancerTargetGroupsOutput{
		LoadBalancerTargetGroups: []types.LoadBalancerTargetGroupState{}, NextToken: next,
	}
	for _, t := range rows {
		out.LoadBalancerTargetGroups = append(out.LoadBalancerTargetGroups, types.LoadBalancerTargetGroupState{
			LoadBalancerTargetGroupARN: aws.String(t.arn), State: aws.String(t.state),
		})
	}
	return out, err
}

// DescribeTrafficSources returns the same target groups as
// DescribeLoadBalancerTargetGroups, as traffic sources.
func (a *API) DescribeTrafficSources(
	ctx context.Context, in *autoscaling.DescribeTrafficSourcesInput,
) (*autoscaling.DescribeTrafficSourcesOutput, error) {
	view := a.Store.Read(ctx)
	g, err := findGroup(view, wire.RegionFrom(ctx), in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	kind := constraint.Default(in.TrafficSourceType, elbv2Source)
	if !slices.Contains([]string{"elb", elbv2Source, "vpc-lattice"}, kind) {
		return nil, invalid("Invalid traffic source type: %s", kind)
	}
	var all []attachment
	if kind == elbv2Source {
		all = attachments(view, g)
	}
	rows, next, err := paginate(pageRequest{in.MaxRecords, in.NextToken, 50, 50}, all, attachmentARN)
	out := &autoscaling.DescribeTrafficSourcesOutput{TrafficSources: []types.TrafficSourceState{}, NextToken: next}
	for _, t := range rows {
		out.TrafficSources = append(out.TrafficSources, types.TrafficSourceState{
			Identifier: aws.String(t.arn), State: aws.String(t.state), Type: aws.String(elbv2Source),
		})
	}
	return out, err
}
