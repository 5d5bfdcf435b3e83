//go:build linux

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
		check(t, "DefaultCooldown", *g.DefaultCooldown, 10)
		check(t, "DefaultInstanceWarmup", *g.DefaultInstanceWarmup, 20)
		check(t, "HealthCheckGracePeriod", *g.HealthCheckGracePeriod, 30)
		check(t, "MaxInstanceLifetime", *g.MaxInstanceLifetime, 86400)
		check(t, "HealthCheckType", *g.HealthCheckType, "EC2,ELB")
		check(t, "NewInstancesProtectedFromScaleIn", *g.NewInstancesProtectedFromScaleIn, true)
		check(t, "CapacityDistributionStrategy",
			g.AvailabilityZoneDistribution.CapacityDistributionStrategy, "balanced-only")
		check(t, "ImpairedZoneHealthCheckBehavior",
			g.AvailabilityZoneImpairmentPolicy.ImpairedZoneHealthCheckBehavior, "IgnoreUnhealthy")
		check(t, "MaxHealthyPercentage", *g.InstanceMaintenancePolicy.MaxHealthyPercentage, 110)
		check(t, "TerminationPolicies", g.TerminationPolicies, []string{"OldestInstance", "Default"})
		check(t, "DeletionProtection", g.DeletionProtection, "prevent-force-deletion")
		check(t, "DesiredCapacity", *g.DesiredCapacity, 3)

		g = update(&autoscaling.UpdateAutoScalingGroupInput{
			DefaultInstanceWarmup: new(int32(-1)),
			InstanceMaintenancePolicy: &types.InstanceMaintenancePolicy{
				MinHealthyPercentage: new(int32(-1)), MaxHealthyPercentage: new(int32(-1)),
			},
		})
		check(t, "DefaultInstanceWarmup after removal", g.DefaultInstanceWarmup, nil)
		check(t, "InstanceMaintenancePolicy after removal", g.InstanceMaintenancePolicy, nil)
		check(t, "DefaultCooldown without a change", *g.DefaultCooldown, 10)

		g = update(&autoscaling.UpdateAutoScalingGroupInput{MinSize: new(int32(5))})
		check(t, "DesiredCapacity below the new minimum", *g.DesiredCapacity, 5)
		w.waitForLoop()
		newest := must(w.DescribeScalingActivities(w.ctx, &autoscaling.DescribeScalingActivitiesInput{
			AutoScalingGroupName: new("g"), MaxRecords: new(int32(2)),
		}))(t).Activities
		for _, a := range newest {
			if !strings.Contains(*a.Cause, "Z a user request update of AutoScalingGroup constraints to min: 5, max: "+
				"6, desired: 5 changing the desired capacity from 3 to 5.  At ") ||
				!strings.HasSuffix(*a.Cause, "increasing the capacity from 3 to 5.") {
				t.Errorf("cause %s", *a.Cause)
			}
		}

		_, err := w.UpdateAutoScalingGroup(w.ctx, &autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName: new("g"), MinSize: new(int32(6)), DesiredCapacity: new(int32(5)),
		})
		wantError(t, err, "ValidationError",
			"Desired capacity:5 must be between the specified min size:6 and max size:6")
		_, err = w.UpdateAutoScalingGroup(w.ctx, &autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName: new("none"),
		})
		wantError(t, err, "ValidationError", "AutoScalingGroup name not found - null")
	})
}
