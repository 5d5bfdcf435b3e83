package autoscaling

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

const elbv2Source = "elbv2"

// readTargetGroups are the target groups named either way.
func readTargetGroups(arns []string, sources []types.TrafficSourceIdentifier) ([]string, error) {
	all := slices.Clone(arns)
	for _, s := range sources {
		if err := model.Required("trafficSources.member.identifier", s.Identifier != nil); err != nil {
			return nil, err
		}
		kind := constraint.Default(s.Type, elbv2Source)
		if kind != elbv2Source || !strings.Contains(*s.Identifier, ":targetgroup/") {
			return nil, wire.NotImplemented("traffic sources other than target groups (%s, %s)", kind, *s.Identifier)
		}
		all = append(all, *s.Identifier)
	}
	var out []string
	for _, arn := range all {
		if !slices.Contains(out, arn) {
			out = append(out, arn)
		}
	}
	return out, nil
}

// checkTargetGroups refuses target groups that are not there or that take no
// instances.
func checkTargetGroups(r store.Reader, region string, arns []string) error {
	for _, arn := range arns {
		group, ok := store.TargetGroups.Get(r, arn)
		switch {
		case !ok || group.Region != region:
			return invalid(
				"Provided Target Groups may not be valid. Please ensure they exist and try again. One or more target groups not found: %s",
				arn,
			)
		case group.TargetType != "instance":
			return invalid("Invalid target group %s: the target type must be instance, not %s", arn, group.TargetType)
		}
	}
	return nil
}

// AttachLoadBalancerTargetGroups has a group's instances registered with more
// target groups, those that are there as well.
func (a *API) AttachLoadBalancerTargetGroups(ctx context.Context, in *autoscaling.AttachLoadBalancerTargetGroupsInput) (*autoscaling.AttachLoadBalancerTargetGroupsOutput, error) {
	return &autoscaling.AttachLoadBalancerTargetGroupsOutput{}, a.updateTargetGroups(
		ctx, in.AutoScalingGroupName, in.TargetGroupARNs, nil, attachTargetGroups,
	)
}

// AttachTrafficSources does so with target groups by another name.
func (a *API) AttachTrafficSources(ctx context.Context, in *autoscaling.AttachTrafficSourcesInput) (*autoscaling.AttachTrafficSourcesOutput, error) {
	return &autoscaling.AttachTrafficSourcesOutput{}, a.updateTargetGroups(
		ctx, in.AutoScalingGroupName, nil, in.TrafficSources, attachTargetGroups,
	)
}

// DetachLoadBalancerTargetGroups has a group's instances deregistered.
func (a *API) DetachLoadBalancerTargetGroups(ctx context.Context, in *autoscaling.DetachLoadBalancerTargetGroupsInput) (*autoscaling.DetachLoadBalancerTargetGroupsOutput, error) {
	return &autoscaling.DetachLoadBalancerTargetGroupsOutput{}, a.updateTargetGroups(
		ctx, in.AutoScalingGroupName, in.TargetGroupARNs, nil, detachTargetGroups,
	)
}

// DetachTrafficSources does so with target groups by another name.
func (a *API) DetachTrafficSources(ctx context.Context, in *autoscaling.DetachTrafficSourcesInput) (*autoscaling.DetachTrafficSourcesOutput, error) {
	return &autoscaling.DetachTrafficSourcesOutput{}, a.updateTargetGroups(
		ctx, in.AutoScalingGroupName, nil, in.TrafficSources, detachTargetGroups,
	)
}

// updateTargetGroups changes a group by the target groups that are named either way.
func (a *API) updateTargetGroups(
	ctx context.Context,
	name *string,
	arns []string,
	sources []types.TrafficSourceIdentifier,
	change func(tx *store.Tx, g *store.ScalingGroup, named []string) error,
) error {
	named, err := readTargetGroups(arns, sources)
	if err != nil {
		return err
	}
	return a.Store.Update(func(tx *store.Tx) error {
		g, err := findActiveGroup(tx, wire.RegionFrom(ctx), name)
		if err != nil {
			return err
		}
		return change(tx, g, named)
	})
}

func attachTargetGroups(tx *store.Tx, g *store.ScalingGroup, wanted []string) error {
	if err := checkTargetGroups(tx, g.Region, wanted); err != nil {
		return err
	}
	list := slices.Clone(g.TargetGroupARNs)
	for _, arn := range wanted {
		if !slices.Contains(list, arn) {
			list = append(list, arn)
		}
	}
	store.ScalingGroups.Edit(tx, g.Key(), func(g *store.ScalingGroup) {
		g.TargetGroupARNs, g.LeavingTargetGroups = list, without(g.LeavingTargetGroups, wanted)
	})
	return nil
}

func detachTargetGroups(tx *store.Tx, g *store.ScalingGroup, leaving []string) error {
	for _, arn := range leaving {
		if !slices.Contains(g.TargetGroupARNs, arn) {
			return invalid("Trying to remove Target Groups that are not part of the group")
		}
	}
	store.ScalingGroups.Edit(tx, g.Key(), func(g *store.ScalingGroup) {
		g.TargetGroupARNs, g.LeavingTargetGroups = without(g.TargetGroupARNs, leaving), append(
			without(g.LeavingTargetGroups, leaving),
			leaving...)
	})
	// Attached again one day, each instance is registered again.
	for _, i := range scalinggroup.Instances(tx, g.Key()) {
		store.ScalingInstances.Edit(
			tx, i.InstanceID, func(i *store.ScalingInstance) { i.Registered = without(i.Registered, leaving) },
		)
	}
	return nil
}

func without(list, gone []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(gone, s) })
}
