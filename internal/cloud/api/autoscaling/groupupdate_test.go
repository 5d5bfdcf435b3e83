package autoscaling_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

func TestUpdateGroupChangesGivenParametersAndMovesDesiredIntoBounds(t *testing.T) {
	withLoop(t, func(w *world) {
		w.createGroup(nil)
		update := func(in *autoscaling.UpdateAutoScalingGroupInput) types.AutoScalingGroup {
			t.Helper()
			in.AutoScalingGroupName = new("g")
			must(w.UpdateAutoScalingGroup(w.ctx, in))(t)
			return w.describeGroup()
		}
		g := update(&autoscaling.UpdateAutoScalingGroupInput{
			DefaultCooldown: new(int32(10)), DefaultInstanceWarmup: new(int32(20)),
			HealthCheckGracePeriod: new(int32(30)), MaxInstanceLifetime: new(int32(86400)),
			HealthCheckType:     new("EC2,ELB"),
			TerminationPolicies: []string{"OldestInstance", "Default"}, NewInstancesProtectedFromScaleIn: new(true),
			AvailabilityZoneDistribution: &types.AvailabilityZoneDistribution{
				CapacityDistributionStrategy: "balanced-only",
			},
			AvailabilityZoneImpairmentPolicy: &types.AvailabilityZoneImpairmentPolicy{
				ZonalShiftEnabled: new(true), ImpairedZoneHealthCheckBehavior: "IgnoreUnhealthy",
			},
			InstanceMaintenancePolicy: &types.InstanceMaintenancePolicy{
				MinHealthyPercentage: new(int32(100)), MaxHealthyPercentage: new(int32(110)),
			},
			DeletionProtection: types.DeletionProtectionPreventForceDeletion,
		})
		if *g.DefaultCooldown != 10 || *g.DefaultInstanceWarmup != 20 || *g.HealthCheckGracePeriod != 30 ||
			*g.MaxInstanceLifetime != 86400 || *g.HealthCheckType != "EC2,ELB" ||
			!*g.NewInstancesProtectedFromScaleIn ||
			g.AvailabilityZoneDistribution.CapacityDistributionStrategy != "balanced-only" ||
			g.AvailabilityZoneImpairmentPolicy.ImpairedZoneHealthCheckBehavior != "IgnoreUnhealthy" ||
			*g.InstanceMaintenancePolicy.MaxHealthyPercentage != 110 || len(g.TerminationPolicies) != 2 ||
			*g.DesiredCapacity != 3 {
			t.Errorf("%+v", g)
		}
		g = update(&autoscaling.UpdateAutoScalingGroupInput{
			DefaultInstanceWarmup: new(int32(-1)),
			InstanceMaintenancePolicy: &types.InstanceMaintenancePolicy{
				MinHealthyPercentage: new(int32(-1)), MaxHealthyPercentage: new(int32(-1)),
			},
		})
		if g.DefaultInstanceWarmup != nil || g.InstanceMaintenancePolicy != nil || *g.DefaultCooldown != 10 {
			t.Errorf("%+v", g)
		}
		if g = update(&autoscaling.UpdateAutoScalingGroupInput{MinSize: new(int32(5))}); *g.DesiredCapacity != 5 {
			t.Errorf("desired %d", *g.DesiredCapacity)
		}
		w.waitForLoop()
		newest := must(w.DescribeScalingActivities(w.ctx, &autoscaling.DescribeScalingActivitiesInput{
			AutoScalingGroupName: new("g"), MaxRecords: new(int32(2)),
		}))(t).Activities
		for _, a := range newest {
			if !strings.Contains(
				*a.Cause,
				"Z a user request update of AutoScalingGroup constraints to min: 5, max: 6, desired: 5 changing the "+
					"desired capacity from 3 to 5.  At ",
			) ||
				!strings.HasSuffix(*a.Cause, "increasing the capacity from 3 to 5.") {
				t.Error(*a.Cause)
			}
		}
		_, err := w.UpdateAutoScalingGroup(w.ctx, &autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName: new("g"), MinSize: new(int32(6)), DesiredCapacity: new(int32(5)),
		})
		wantError(
			t, err, "ValidationError", "Desired capacity:5 must be between the specified min size:6 and max size:6",
		)
		_, err = w.UpdateAutoScalingGroup(w.ctx, &autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName: new("none"),
		})
		wantError(t, err, "ValidationError", "AutoScalingGroup name not found - null")
		_, err = w.DeleteAutoScalingGroup(w.ctx, &autoscaling.DeleteAutoScalingGroupInput{
			AutoScalingGroupName: new("g"), ForceDelete: new(true),
		})
		wantError(t, err, "ValidationError", "deletion protection")
	})
}
