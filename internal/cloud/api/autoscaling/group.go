package autoscaling

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// findGroup finds the group of a name.
func findGroup(r store.Reader, region string, name *string) (*store.ScalingGroup, error) {
	if err := model.Required("autoScalingGroupName", name != nil); err != nil {
		return nil, err
	}
	g, ok := store.ScalingGroups.Get(r, region+"/"+*name)
	if !ok {
		return nil, invalid("AutoScalingGroup name not found - AutoScalingGroup %s not found", *name)
	}
	return g, nil
}

// findActiveGroup is group for what a group that is being deleted does not do any more.
func findActiveGroup(r store.Reader, region string, name *string) (*store.ScalingGroup, error) {
	g, err := findGroup(r, region, name)
	if err == nil && g.Deleting {
		return nil, invalid("AutoScalingGroup name not found - AutoScalingGroup %s is pending delete", *name)
	}
	return g, err
}

// checkGroupName applies the rules of a group's name (Amazon EC2 Auto Scaling API
// Reference, CreateAutoScalingGroup).
func checkGroupName(name *string) error {
	if err := checkName("autoScalingGroupName", name); err != nil {
		return err
	}
	if strings.ContainsFunc(*name, func(r rune) bool { return r < 33 && r != ' ' || r > 126 || r == ':' }) {
		return invalid("Group name may only contain ASCII characters from 33 to 126, and no colon")
	}
	return nil
}

// CreateAutoScalingGroup makes a group. Its instances follow.
func (a *API) CreateAutoScalingGroup(ctx context.Context, in *autoscaling.CreateAutoScalingGroupInput) (*autoscaling.CreateAutoScalingGroupOutput, error) {
	here := region(ctx)
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
			fmt.Sprintf("autoScalingGroup:%s:autoScalingGroupName/%s", scalinggroup.UUID(), *in.AutoScalingGroupName),
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
		scalinggroup.ChangeDesired(tx, g.Key(), desired, "a user request created an AutoScalingGroup", now)
		return nil
	})
}

// checkCreateSupported refuses by name what the local cloud has nothing behind.
func checkCreateSupported(in *autoscaling.CreateAutoScalingGroupInput) error {
	switch {
	case in.LaunchConfigurationName != nil:
		return wire.NotImplemented("launch configurations; name a launch template (LaunchConfigurationName)")
	case in.InstanceId != nil:
		return wire.NotImplemented("launch configurations; name a launch template (InstanceId)")
	case len(in.LoadBalancerNames) > 0:
		return wire.NotImplemented("Classic Load Balancers (LoadBalancerNames)")
	case in.Operator != nil:
		return wire.NotImplemented("managed groups (Operator)")
	case aws.ToString(in.PlacementGroup) != "":
		return wire.NotImplemented("placement groups (PlacementGroup)")
	case in.InstanceLifecyclePolicy != nil:
		return wire.NotImplemented("instance lifecycle policies (InstanceLifecyclePolicy)")
	}
	return cmp.Or(checkReservations(in.CapacityReservationSpecification), checkCapacityType(in.DesiredCapacityType))
}

func checkReservations(s *types.CapacityReservationSpecification) error {
	if s == nil ||
		s.CapacityReservationTarget == nil &&
			(s.CapacityReservationPreference == "" || s.CapacityReservationPreference == types.CapacityReservationPreferenceDefault) {
		return nil
	}
	return wire.NotImplemented("capacity reservations (CapacityReservationSpecification)")
}

func checkCapacityType(unit *string) error {
	switch constraint.Default(unit, "units") {
	case "units", "":
		return nil
	case "vcpu", "memory-mib":
		return wire.NotImplemented("the desired capacity type %s", *unit)
	}
	return invalid("Invalid DesiredCapacityType: %s. Valid values are units, vcpu and memory-mib", *unit)
}

// checkSizes refuses sizes that do not fit together.
func checkSizes(least, most, desired int32) error {
	switch {
	case least < 0:
		return model.Between("minSize", &least, 0, 1<<30)
	case most < 0:
		return model.Between("maxSize", &most, 0, 1<<30)
	case most < least:
		return invalid("Max bound, %d, must be greater than or equal to min bound, %d", most, least)
	case desired < least || desired > most:
		return invalid(
			"Desired capacity:%d must be between the specified min size:%d and max size:%d", desired, least, most,
		)
	}
	return nil
}
