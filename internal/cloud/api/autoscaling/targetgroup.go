package autoscaling

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// elbv2Source is the type of traffic source that a target group is.
const elbv2Source = "elbv2"

// readTargetGroups returns the distinct target groups that a request names by
// ARN and as traffic sources.
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

// checkTargetGroups checks that target groups exist and have instances as
// targets.
func checkTargetGroups(r store.Reader, region identity.Region, arns []string) error {
	for _, arn := range arns {
		group, ok := store.TargetGroups.Get(r, arn)
		switch {
		case !ok || group.Region != region:
			return invalid("Provided Target Groups may not be valid. Please ensure they exist and try again. "+
				"One or more target groups not found: %s", arn)
		case group.TargetType != "instance":
			// AWS's text, as in github.com/hashicorp/terraform/issues/18674.
			return invalid("Provided Target Group '%s' has invalid target type. "+
				"Please ensure all provided Target Groups have target type of instance.", arn)
		}
	}
	return nil
}

// AttachLoadBalancerTargetGroups attaches target groups to an Auto Scaling
// group. The scaling loop registers the group's instances with them.
func (a *API) AttachLoadBalancerTargetGroups(
	ctx context.Context, in *autoscaling.AttachLoadBalancerTargetGroupsInput,
) (*autoscaling.AttachLoadBalancerTargetGroupsOutput, error) {
	return &autoscaling.AttachLoadBalancerTargetGroupsOutput{}, a.updateTargetGroups(
		ctx, in.AutoScalingGroupName, in.TargetGroupARNs, nil, attachTargetGroups,
	)
}

// AttachTrafficSources attaches target groups, as
// AttachLoadBalancerTargetGroups does. The request names them as traffic
// sources.
func (a *API) AttachTrafficSources(
	ctx context.Context, in *autoscaling.AttachTrafficSourcesInput,
) (*autoscaling.AttachTrafficSourcesOutput, error) {
	return &autoscaling.AttachTrafficSourcesOutput{}, a.updateTargetGroups(
		ctx, in.AutoScalingGroupName, nil, in.TrafficSources, attachTargetGroups,
	)
}

// DetachLoadBalancerTargetGroups detaches target groups from an Auto Scaling
// group. The scaling loop deregisters the group's instances.
func (a *API) DetachLoadBalancerTargetGroups(
	ctx context.Context, in *autoscaling.DetachLoadBalancerTargetGroupsInput,
) (*autoscaling.DetachLoadBalancerTargetGroupsOutput, error) {
	return &autoscaling.DetachLoadBalancerTargetGroupsOutput{}, a.updateTargetGroups(
		ctx, in.AutoScalingGroupName, in.TargetGroupARNs, nil, detachTargetGroups,
	)
}

// DetachTrafficSources detaches target groups, as
// DetachLoadBalancerTargetGroups does. The request names them as traffic
// sources.
func (a *API) DetachTrafficSources(
	ctx context.Context, in *autoscaling.DetachTrafficSourcesInput,
) (*autoscaling.DetachTrafficSourcesOutput, error) {
	return &autoscaling.DetachTrafficSourcesOutput{}, a.updateTargetGroups(
		ctx, in.AutoScalingGroupName, nil, in.TrafficSources, detachTargetGroups,
	)
}

// updateTargetGroups changes an Auto Scaling group with the target groups that
// a request names by ARN and as traffic sources.
func (a *API) updateTargetGroups(
	ctx context.Context, group *string, arns []string, sources []types.TrafficSourceIdentifier,
	change func(tx *store.Tx, g *store.ScalingGroup, arns []string) error,
) error {
	arns, err := readTargetGroups(arns, sources)
	if err != nil {
		return err
	}
	return a.Store.Update(func(tx *store.Tx) error {
		g, err := findActiveGroup(tx, wire.RegionFrom(ctx), group)
		if err != nil {
			return err
		}
		return change(tx, g, arns)
	})
}

func attachTargetGroups(tx *store.Tx, g *store.ScalingGroup, arns []string) error {
	if err := checkTargetGroups(tx, g.Region, arns); err != nil {
		return err
	}
	added := without(arns, g.TargetGroupARNs)
	store.ScalingGroups.Edit(tx, g.Key(), func(g *store.ScalingGroup) {
		g.TargetGroupARNs = slices.Concat(g.TargetGroupARNs, added)
		g.DetachedTargetGroups = without(g.DetachedTargetGroups, arns)
	})
	return nil
}

func detachTargetGroups(tx *store.Tx, g *store.ScalingGroup, arns []string) error {
	for _, arn := range arns {
		if !slices.Contains(g.TargetGroupARNs, arn) {
			return invalid("Trying to remove Target Groups that are not part of the group")
		}
	}
	store.ScalingGroups.Edit(tx, g.Key(), func(g *store.ScalingGroup) {
		g.TargetGroupARNs = without(g.TargetGroupARNs, arns)
		g.DetachedTargetGroups = append(without(g.DetachedTargetGroups, arns), arns...)
	})
	// If the target groups are attached again, the loop registers each instance again.
	for _, i := range scalinggroup.Instances(tx, g.Key()) {
		store.ScalingInstances.Edit(tx, i.InstanceID, func(i *store.ScalingInstance) {
			i.Registered = without(i.Registered, arns)
		})
	}
	return nil
}

func without(list, removed []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(removed, s) })
}
