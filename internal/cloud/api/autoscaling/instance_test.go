//go:build linux

package autoscaling_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestSetInstanceHealthRespectsTheGracePeriodByDefault(t *testing.T) {
	withLoop(t, func(w *world) {
		ids := w.createGroup(func(in *createInput) { in.HealthCheckGracePeriod = new(int32(600)) })
		setHealth := func(id, health string, respectGracePeriod *bool) error {
			_, err := w.SetInstanceHealth(w.ctx, &autoscaling.SetInstanceHealthInput{
				InstanceId: &id, HealthStatus: &health, ShouldRespectGracePeriod: respectGracePeriod,
			})
			return err
		}
		if err := setHealth(ids[0], "Unhealthy", nil); err != nil {
			t.Fatal(err)
		}
		w.waitForLoop()
		i, _ := store.ScalingInstances.Get(w.store.View(), ids[0])
		check(t, "health in the grace period", i.Health, "Healthy")

		if err := setHealth(ids[0], "Unhealthy", new(false)); err != nil {
			t.Fatal(err)
		}
		w.waitForLoop()
		if _, ok := store.ScalingInstances.Get(w.store.View(), ids[0]); ok {
			t.Error("the unhealthy instance is still in the group")
		}
		wantError(t, setHealth(ids[1], "Ill", nil), "ValidationError",
			"Member must satisfy enum value set: [Healthy, Unhealthy]")
		wantError(t, setHealth("i-0", "Healthy", nil), "ValidationError",
			"No managed instance found for instance ID: i-0")
	})
}

func TestProtectedInstancesSurviveScaleIn(t *testing.T) {
	withLoop(t, func(w *world) {
		ids := w.createGroup(func(in *createInput) { in.NewInstancesProtectedFromScaleIn = new(true) })
		must(w.SetInstanceProtection(w.ctx, &autoscaling.SetInstanceProtectionInput{
			AutoScalingGroupName: new("g"), InstanceIds: ids[:1], ProtectedFromScaleIn: new(false),
		}))(t)
		must(w.SetDesiredCapacity(w.ctx, &autoscaling.SetDesiredCapacityInput{
			AutoScalingGroupName: new("g"), DesiredCapacity: new(int32(1)),
		}))(t)
		w.waitForLoop()
		g := w.describeGroup()
		check(t, "number of instances", len(g.Instances), 2)
		check(t, "ProtectedFromScaleIn", *g.Instances[0].ProtectedFromScaleIn, true)
		if *g.Instances[0].InstanceId == ids[0] {
			t.Error("the group kept the instance without protection")
		}
		_, err := w.SetInstanceProtection(w.ctx, &autoscaling.SetInstanceProtectionInput{
			AutoScalingGroupName: new("g"), InstanceIds: []string{"i-0"}, ProtectedFromScaleIn: new(true),
		})
		wantError(t, err, "ValidationError", "The instance i-0 is not part of Auto Scaling group g.")
	})
}
