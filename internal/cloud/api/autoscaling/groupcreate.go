package autoscaling

import (
	"cmp"
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/scaling/announcement"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/servicerole"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// CreateAutoScalingGroup creates a group. The scaling loop launches its instances.
func (a *API) CreateAutoScalingGroup(
	ctx context.Context, in *autoscaling.CreateAutoScalingGroupInput,
) (*autoscaling.CreateAutoScalingGroupOutput, error) {
	here := wire.RegionFrom(ctx)
	if err := cmp.Or(
		a.Templates.EnsureRegion(here), checkGroupName(in.AutoScalingGroupName),
		model.Required("minSize", in.MinSize != nil), model.Required("maxSize", in.MaxSize != nil),
		checkCreateSupported(in),
	); err != nil {
		return nil, err
	}
	g := a.newGroup(here, in)
	desired := constraint.Default(in.DesiredCapacity, g.Min)
	view := a.Store.View()
	hooks, err := a.readInitialHooks(ctx, view, g, in.LifecycleHookSpecificationList)
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
		checkSizes(g.Min, g.Max, desired), createSettings(in).apply(g),
		checkTargetGroups(view, here, g.TargetGroupARNs), classicNotFound(in.LoadBalancerNames),
		a.setLaunchSource(view, g, launchSource{
			in.LaunchTemplate, in.MixedInstancesPolicy, in.LaunchConfigurationName, in.InstanceId,
		}),
	); err != nil {
		return nil, err
	}
	if err := setCapacityType(view, g, in.DesiredCapacityType); err != nil {
		return nil, err
	}
	configuration, err := a.configurationLike(ctx, view, g, in.InstanceId)
	if err != nil {
		return nil, err
	}
	if err := a.setSubnets(
		view, g, subnetsLike(view, in), in.AvailabilityZones, in.AvailabilityZoneIds,
	); err != nil {
		return nil, err
	}
	if err := a.checkLaunch(ctx, g, configuration); err != nil {
		return nil, err
	}
	return &autoscaling.CreateAutoScalingGroupOutput{}, a.Store.Update(func(tx *store.Tx) error {
		if err := a.checkNewGroup(tx, g); err != nil {
			return err
		}
		if configuration != nil {
			if err := a.putConfiguration(tx, configuration); err != nil {
				return err
			}
		}
		if in.ServiceLinkedRoleARN == nil {
			servicerole.Ensure(tx, a.IDs, g.Region, servicerole.AutoScaling, g.Created)
		}
		store.ScalingGroups.Put(tx, g)
		for _, h := range hooks {
			store.LifecycleHooks.Put(tx, h)
			announcement.TestMessage(tx, a.IDs, g, h.NotificationTargetARN, g.Created)
		}
		scalinggroup.ChangeDesired(tx, g.Key(), desired, scalinggroup.BecauseGroupCreated, g.Created)
		return nil
	})
}

// newGroup returns a group with AWS's defaults (Amazon EC2 Auto Scaling API
// Reference, CreateAutoScalingGroup).
func (a *API) newGroup(region identity.Region, in *autoscaling.CreateAutoScalingGroupInput) *store.ScalingGroup {
	name := *in.AutoScalingGroupName
	resource := fmt.Sprintf("autoScalingGroup:%s:autoScalingGroupName/%s", a.IDs.UUID(), name)
	return &store.ScalingGroup{
		ARN:     identity.ARN("autoscaling", region, resource),
		Region:  region,
		Name:    name,
		Created: a.Now().UTC(),
		Context: aws.ToString(in.Context),
		Min:     *in.MinSize, Max: *in.MaxSize,
		DefaultCooldown:     300,
		HealthCheckType:     "EC2",
		TerminationPolicies: []string{"Default"},
		Distribution:        "balanced-best-effort",
		MinHealthy:          -1, MaxHealthy: -1, // no instance maintenance policy
		DeletionProtection: "none",
		ServiceLinkedRoleARN: "arn:aws:iam::" + region.Account() +
			":role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
	}
}

// checkNewGroup checks that the group's name is free and that the region can have
// another group.
func (a *API) checkNewGroup(r store.Reader, g *store.ScalingGroup) error {
	if old, ok := store.ScalingGroups.Get(r, g.Key()); ok {
		pending := ""
		if old.Deleting {
			pending = " and is pending delete"
		}
		return wire.Errorf("AlreadyExists", "AutoScalingGroup by this name already exists%s - "+
			"A group with the name %s already exists", pending, g.Name)
	}
	if most := a.maxGroups(); len(store.ScalingGroups.InRegion(r, g.Region)) >= most {
		return wire.Errorf("LimitExceeded", "You have exceeded the limit of %d AutoScalingGroups", most)
	}
	return nil
}
