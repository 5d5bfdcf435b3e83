package autoscaling

import (
	"cmp"
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// CreateAutoScalingGroup creates a group. The scaling loop launches its
// instances.
func (a *API) CreateAutoScalingGroup(ctx context.Context, in *autoscaling.CreateAutoScalingGroupInput) (*autoscaling.CreateAutoScalingGroupOutput, error) {
	here := wire.RegionFrom(ctx)
	if err := cmp.Or(
		a.Templates.EnsureRegion(here), checkGroupName(in.AutoScalingGroupName),
		model.Required("minSize", in.MinSize != nil), model.Required("maxSize", in.MaxSize != nil),
		checkCreateSupported(in),
	); err != nil {
		return nil, err
	}
	now := a.Now().UTC()
	g := &store.ScalingGroup{
		ARN: identity.ARN(
			"autoscaling",
			here,
			fmt.Sprintf("autoScalingGroup:%s:autoScalingGroupName/%s", a.IDs.UUID(), *in.AutoScalingGroupName),
		),
		Region: here, Name: *in.AutoScalingGroupName, Created: now, Context: aws.ToString(in.Context),
		DesiredType:     aws.ToString(in.DesiredCapacityType),
		DefaultCooldown: 300, HealthCheckType: "EC2", TerminationPolicies: []string{"Default"},
		Distribution: "balanced-best-effort", MinHealthy: -1, MaxHealthy: -1,
		DeletionProtection:   "none",
		ServiceLinkedRoleARN: "arn:aws:iam::" + identity.Account + ":role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
		Min:                  *in.MinSize, Max: *in.MaxSize,
	}
	desired := constraint.Default(in.DesiredCapacity, g.Min)
	view := a.Store.View()
	hooks, err := readInitialHooks(g, in.LifecycleHookSpecificationList)
	if err != nil {
		return nil, err
	}
	if g.TargetGroupARNs, err = readTargetGroups(in.TargetGroupARNs, in.TrafficSources); err != nil {
		return nil, err
	}
	if g.Tags, err = readTags(in.Tags); err != nil {
		return nil, err
	}
	if err := cmp.Or(
		checkSizes(g.Min, g.Max, desired), createSettings(in).apply(g), checkTargetGroups(view, here, g.TargetGroupARNs),
		a.setLaunchSource(g, in.LaunchTemplate, in.MixedInstancesPolicy),
	); err != nil {
		return nil, err
	}
	if err := a.setSubnets(view, g, in.VPCZoneIdentifier, in.AvailabilityZones, in.AvailabilityZoneIds); err != nil {
		return nil, err
	}
	if err := a.checkLaunch(g); err != nil {
		return nil, err
	}
	return &autoscaling.CreateAutoScalingGroupOutput{}, a.Store.Update(func(tx *store.Tx) error {
		if old, ok := store.ScalingGroups.Get(tx, g.Key()); ok {
			if old.Deleting {
				return wire.Errorf(
					"AlreadyExists",
					"AutoScalingGroup by this name already exists and is pending delete - A group with the name %s already exists",
					g.Name,
				)
			}
			return wire.Errorf(
				"AlreadyExists",
				"AutoScalingGroup by this name already exists - A group with the name %s already exists",
				g.Name,
			)
		}
		if len(store.ScalingGroups.By(tx, "region", here)) >= maxGroups {
			return wire.Errorf("LimitExceeded", "You have exceeded the limit of %d AutoScalingGroups", maxGroups)
		}
		store.ScalingGroups.Put(tx, g)
		for _, h := range hooks {
			store.LifecycleHooks.Put(tx, h)
		}
		scalinggroup.ChangeDesired(tx, g.Key(), desired, scalinggroup.BecauseGroupCreated, now)
		return nil
	})
}
