package autoscaling_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestSetInstanceHealthRespectsTheGracePeriodByDefault(t *testing.T) {
	withLoop(t, func(w *world) {
		ids := w.createGroup(func(in *autoscaling.CreateAutoScalingGroupInput) { in.HealthCheckGracePeriod = new(int32(600)) })
		say := func(id, health string, respect *bool) error {
			_, err := w.SetInstanceHealth(w.ctx, &autoscaling.SetInstanceHealthInput{
				InstanceId: &id, HealthStatus: &health, ShouldRespectGracePeriod: respect,
			})
			return err
		}
		if err := say(ids[0], "Unhealthy", nil); err != nil {
			t.Fatal(err)
		}
		w.waitForLoop()
		if i, _ := store.ScalingInstances.Get(w.store.View(), ids[0]); i.Health != "Healthy" {
			t.Errorf("%+v", i)
		}
		if err := say(ids[0], "Unhealthy", new(false)); err != nil {
			t.Fatal(err)
		}
		w.waitForLoop()
		if _, there := store.ScalingInstances.Get(w.store.View(), ids[0]); there {
			t.Error("it is still there")
		}
		wantError(
			t, say(ids[1], "Ill", nil), "ValidationError", "Member must satisfy enum value set: [Healthy, Unhealthy]",
		)
		wantError(t, say("i-0", "Healthy", nil), "ValidationError", "No managed instance found for instance ID: i-0")
	})
}

func TestProtectedInstancesSurviveScaleIn(t *testing.T) {
	withLoop(t, func(w *world) {
		ids := w.createGroup(func(in *autoscaling.CreateAutoScalingGroupInput) { in.NewInstancesProtectedFromScaleIn = new(true) })
		must(w.SetInstanceProtection(w.ctx, &autoscaling.SetInstanceProtectionInput{
			AutoScalingGroupName: new("g"), InstanceIds: ids[:1], ProtectedFromScaleIn: new(false),
		}))(t)
		must(w.SetDesiredCapacity(w.ctx, &autoscaling.SetDesiredCapacityInput{
			AutoScalingGroupName: new("g"), DesiredCapacity: new(int32(1)),
		}))(t)
		w.waitForLoop()
		g := w.describeGroup()
		if len(g.Instances) != 2 || !*g.Instances[0].ProtectedFromScaleIn || *g.Instances[0].InstanceId == ids[0] {
			t.Errorf("%+v", g.Instances)
		}
		_, err := w.SetInstanceProtection(w.ctx, &autoscaling.SetInstanceProtectionInput{
			AutoScalingGroupName: new("g"), InstanceIds: []string{"i-0"}, ProtectedFromScaleIn: new(true),
		})
		wantError(t, err, "ValidationError", "The instance i-0 is not part of Auto Scaling group g.")
	})
}
