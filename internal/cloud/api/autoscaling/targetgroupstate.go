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

// attachment is a target group of a group and the state of its instances there
// (Amazon EC2 Auto Scaling API Reference, LoadBalancerTargetGroupState).
type attachment struct{ arn, state string }

func attachments(r store.Reader, g *store.ScalingGroup) []attachment {
	var out []attachment
	for _, arn := range g.TargetGroupARNs {
		state := "InService"
		serving, registered, well := 0, 0, false
		for _, i := range scalinggroup.Instances(r, g.Key()) {
			if i.State != store.LifecycleInService {
				continue
			}
			serving++
			for _, t := range store.Targets.By(r, "target", i.InstanceID) {
				if t.TargetGroupARN == arn && t.DeregisteredAt.IsZero() {
					registered++
					well = well || t.State == "healthy"
				}
			}
		}
		switch {
		case well || serving == 0:
		case registered < serving:
			state = "Adding"
		default:
			state = "Added"
		}
		out = append(out, attachment{arn, state})
	}
	for _, arn := range g.LeavingTargetGroups {
		out = append(out, attachment{arn, "Removing"})
	}
	slices.SortFunc(out, func(a, b attachment) int { return cmp.Compare(a.arn, b.arn) })
	return out
}

// DescribeLoadBalancerTargetGroups tells how far a group's instances are
// registered with its target groups.
func (a *API) DescribeLoadBalancerTargetGroups(ctx context.Context, in *autoscaling.DescribeLoadBalancerTargetGroupsInput) (*autoscaling.DescribeLoadBalancerTargetGroupsOutput, error) {
	view := a.Store.View()
	g, err := findGroup(view, wire.RegionFrom(ctx), in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	rows, next, err := paginate(
		pageRequest{in.MaxRecords, in.NextToken, 100, 100}, attachments(view, g), func(t attachment) string { return t.arn },
	)
	out := &autoscaling.DescribeLoadBalancerTargetGroupsOutput{
		LoadBalancerTargetGroups: []types.LoadBalancerTargetGroupState{},
		NextToken:                next,
	}
	for _, t := range rows {
		out.LoadBalancerTargetGroups = append(out.LoadBalancerTargetGroups, types.LoadBalancerTargetGroupState{
			LoadBalancerTargetGroupARN: aws.String(t.arn),
			State:                      aws.String(t.state),
		})
	}
	return out, err
}

// DescribeTrafficSources tells the same of all traffic sources.
func (a *API) DescribeTrafficSources(ctx context.Context, in *autoscaling.DescribeTrafficSourcesInput) (*autoscaling.DescribeTrafficSourcesOutput, error) {
	view := a.Store.View()
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
	rows, next, err := paginate(pageRequest{in.MaxRecords, in.NextToken, 50, 50}, all, func(t attachment) string { return t.arn })
	out := &autoscaling.DescribeTrafficSourcesOutput{TrafficSources: []types.TrafficSourceState{}, NextToken: next}
	for _, t := range rows {
		out.TrafficSources = append(out.TrafficSources, types.TrafficSourceState{
			Identifier: aws.String(t.arn),
			State:      aws.String(t.state),
			Type:       aws.String(elbv2Source),
		})
	}
	return out, err
}
