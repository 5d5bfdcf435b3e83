package autoscaling_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestAnInstanceTerminatedByItsGroupIsReplacedUnlessTheGroupShrinks(t *testing.T) {
	inWorld(t, func(w *world) {
		ids := w.create(nil)
		terminate := func(id string, decrement bool) (*types.Activity, error) {
			out, err := w.TerminateInstanceInAutoScalingGroup(w.ctx, &autoscaling.TerminateInstanceInAutoScalingGroupInput{
				InstanceId: &id, ShouldDecrementDesiredCapacity: &decrement,
			})
			if err != nil {
				return nil, err
			}
			return out.Activity, nil
		}
		tells(
			t, *must(terminate(ids[0], false))(t), "InProgress", "Terminating EC2 instance: "+ids[0],
			fmt.Sprintf("instance %s was taken out of service in response to a user request.", ids[0]),
		)
		tells(
			t, *must(terminate(ids[1], true))(t), "InProgress", "Terminating EC2 instance: "+ids[1],
			fmt.Sprintf(
				"instance %s was taken out of service in response to a user request, shrinking the capacity from 3 to 2.",
				ids[1],
			),
		)
		w.settle()
		if got := w.states(); got != "[InService:2]" {
			t.Error(got)
		}
		must(w.UpdateAutoScalingGroup(w.ctx, &autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName: new("g"), MinSize: new(int32(2)),
		}))(t)
		_, err := terminate(ids[2], true)
		declined(
			t, err, "ValidationError",
			"Currently, desiredSize equals minSize (2). Terminating instance without replacement will violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size.",
		)
		_, err = terminate("i-0", true)
		declined(t, err, "ValidationError", "Instance Id not found - No managed instance found for instance ID: i-0")
	})
}

func TestStandbyTakesInstancesOutAndBackThroughTheirHooks(t *testing.T) {
	inWorld(t, func(w *world) {
		ids := w.create(nil)
		enter := func(decrement bool, ids ...string) error {
			out, err := w.EnterStandby(w.ctx, &autoscaling.EnterStandbyInput{
				AutoScalingGroupName: new("g"), InstanceIds: ids, ShouldDecrementDesiredCapacity: &decrement,
			})
			if err == nil {
				tells(
					t, out.Activities[0], "InProgress", "Moving EC2 instance to Standby: "+ids[0],
					fmt.Sprintf(
						"instance %s was moved to standby in response to a user request, shrinking the capacity from 3 to 2.",
						ids[0],
					),
				)
			}
			return err
		}
		if err := enter(true, ids[0]); err != nil {
			t.Fatal(err)
		}
		declined(t, enter(true, ids[0]), "ValidationError", fmt.Sprintf("The instance %s is not in InService.", ids[0]))
		declined(
			t, enter(true, ids[1], ids[2]), "ValidationError",
			"AutoScalingGroup g has min-size=1, max-size=6, and desired-size=2. To place into standby 2 instances, please update the AutoScalingGroup sizes appropriately.",
		)
		w.settle()
		if got := w.states(); got != "[InService:2 Standby:1]" || len(store.Targets.By(
			w.store.View(), "target", ids[0],
		)) != 0 {
			t.Error(got)
		}
		tells(
			t, w.last(ids[0]), "Successful", "Moving EC2 instance to Standby: "+ids[0],
			fmt.Sprintf(
				"instance %s was moved to standby in response to a user request, shrinking the capacity from 3 to 2.",
				ids[0],
			),
		)
		w.hook("h", scalinggroup.Launching)
		out := must(w.ExitStandby(w.ctx, &autoscaling.ExitStandbyInput{
			AutoScalingGroupName: new("g"), InstanceIds: ids[:1],
		}))(t)
		tells(
			t, out.Activities[0], "PreInService", "Moving EC2 instance out of Standby: "+ids[0],
			fmt.Sprintf(
				"instance %s was moved out of standby in response to a user request, increasing the capacity from 2 to 3.",
				ids[0],
			),
		)
		if *out.Activities[0].Progress != 30 {
			t.Errorf("%d", *out.Activities[0].Progress)
		}
		w.settle()
		if got := w.states(); got != "[InService:2 Pending:Wait:1]" {
			t.Error(got)
		}
		must(w.CompleteLifecycleAction(w.ctx, &autoscaling.CompleteLifecycleActionInput{
			AutoScalingGroupName: new("g"), LifecycleHookName: new("h"), InstanceId: &ids[0],
			LifecycleActionResult: new("CONTINUE"),
		}))(t)
		w.settle()
		if got := w.states(); got != "[InService:3]" || len(store.Targets.By(w.store.View(), "target", ids[0])) != 1 {
			t.Error(got)
		}
	})
}

func TestInstancesLeaveAGroupAndComeIntoAnother(t *testing.T) {
	inWorld(t, func(w *world) {
		ids := w.create(nil)
		must(w.SuspendProcesses(w.ctx, &autoscaling.SuspendProcessesInput{
			AutoScalingGroupName: new("g"), ScalingProcesses: []string{"AZRebalance"},
		}))(t)
		detach := func(decrement bool, id string) (*autoscaling.DetachInstancesOutput, error) {
			return w.DetachInstances(w.ctx, &autoscaling.DetachInstancesInput{
				AutoScalingGroupName: new("g"), InstanceIds: []string{id}, ShouldDecrementDesiredCapacity: &decrement,
			})
		}
		tells(
			t, must(detach(false, ids[0]))(t).Activities[0], "InProgress", "Detaching EC2 instance: "+ids[0],
			fmt.Sprintf("instance %s was detached in response to a user request.", ids[0]),
		)
		tells(
			t, must(detach(true, ids[1]))(t).Activities[0], "InProgress", "Detaching EC2 instance: "+ids[1],
			fmt.Sprintf(
				"instance %s was detached in response to a user request, shrinking the capacity from 3 to 2.", ids[1],
			),
		)
		w.settle()
		left, _ := store.Instances.Get(w.store.View(), ids[0])
		if _, tagged := left.Tags[scalinggroup.TagKey]; w.states() != "[InService:2]" || left.State != store.Running || tagged || len(store.Targets.By(
			w.store.View(), "target", ids[0],
		)) != 0 {
			t.Errorf("%s, %+v", w.states(), left)
		}
		_, err := detach(true, ids[0])
		declined(t, err, "ValidationError", fmt.Sprintf("The instance %s is not part of Auto Scaling group g.", ids[0]))
		attach := func(ids ...string) error {
			_, err := w.AttachInstances(w.ctx, &autoscaling.AttachInstancesInput{
				AutoScalingGroupName: new("g"), InstanceIds: ids,
			})
			return err
		}
		declined(t, attach("i-0"), "ValidationError", "Invalid Instance ID(s): [i-0] specified")
		declined(
			t, attach(ids[2]), "ValidationError",
			fmt.Sprintf("Instance %s is already part of AutoScalingGroup:g", ids[2]),
		)
		if err := attach(ids[0]); err != nil {
			t.Fatal(err)
		}
		w.settle()
		tells(
			t, w.last(ids[0]), "Successful", "Attaching an existing EC2 instance: "+ids[0],
			"an instance was attached in response to a user request, increasing the capacity from 2 to 3.",
		)
		if w.states() != "[InService:3]" || *w.describe().DesiredCapacity != 3 || len(store.Targets.By(
			w.store.View(), "target", ids[0],
		)) != 1 {
			t.Error(w.states())
		}
		must(w.ec2.StopInstances(w.ctx, &ec2.StopInstancesInput{InstanceIds: ids[1:2]}))(t)
		declined(
			t, attach(ids[1]), "ValidationError", "is not in correct state. Instance(s) must be in 'running' state.",
		)
		must(w.UpdateAutoScalingGroup(w.ctx, &autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName: new("g"), MaxSize: new(int32(3)),
		}))(t)
		declined(
			t, attach("i-0"), "ValidationError",
			"AutoScalingGroup g has min-size=1, max-size=3, and desired-size=3. To attach 1 instance, please update the AutoScalingGroup sizes appropriately.",
		)
	})
}

func TestAUsersWordOnHealthWaitsForTheGracePeriodUnlessToldNotTo(t *testing.T) {
	inWorld(t, func(w *world) {
		ids := w.create(func(in *autoscaling.CreateAutoScalingGroupInput) { in.HealthCheckGracePeriod = new(int32(600)) })
		say := func(id, health string, respect *bool) error {
			_, err := w.SetInstanceHealth(w.ctx, &autoscaling.SetInstanceHealthInput{
				InstanceId: &id, HealthStatus: &health, ShouldRespectGracePeriod: respect,
			})
			return err
		}
		if err := say(ids[0], "Unhealthy", nil); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if i, _ := store.ScalingInstances.Get(w.store.View(), ids[0]); i.Health != "Healthy" {
			t.Errorf("%+v", i)
		}
		if err := say(ids[0], "Unhealthy", new(false)); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if _, there := store.ScalingInstances.Get(w.store.View(), ids[0]); there {
			t.Error("it is still there")
		}
		declined(
			t, say(ids[1], "Ill", nil), "ValidationError", "Member must satisfy enum value set: [Healthy, Unhealthy]",
		)
		declined(t, say("i-0", "Healthy", nil), "ValidationError", "No managed instance found for instance ID: i-0")
	})
}

func TestProtectionIsSetAndDescribed(t *testing.T) {
	inWorld(t, func(w *world) {
		ids := w.create(func(in *autoscaling.CreateAutoScalingGroupInput) { in.NewInstancesProtectedFromScaleIn = new(true) })
		must(w.SetInstanceProtection(w.ctx, &autoscaling.SetInstanceProtectionInput{
			AutoScalingGroupName: new("g"), InstanceIds: ids[:1], ProtectedFromScaleIn: new(false),
		}))(t)
		must(w.SetDesiredCapacity(w.ctx, &autoscaling.SetDesiredCapacityInput{
			AutoScalingGroupName: new("g"), DesiredCapacity: new(int32(1)),
		}))(t)
		w.settle()
		g := w.describe()
		if len(g.Instances) != 2 || !*g.Instances[0].ProtectedFromScaleIn || *g.Instances[0].InstanceId == ids[0] {
			t.Errorf("%+v", g.Instances)
		}
		_, err := w.SetInstanceProtection(w.ctx, &autoscaling.SetInstanceProtectionInput{
			AutoScalingGroupName: new("g"), InstanceIds: []string{"i-0"}, ProtectedFromScaleIn: new(true),
		})
		declined(t, err, "ValidationError", "The instance i-0 is not part of Auto Scaling group g.")
	})
}

func TestHooksAreHeldAliveCompletedAndTakenAway(t *testing.T) {
	inWorld(t, func(w *world) {
		w.create(nil)
		w.hook("h", scalinggroup.Launching)
		_, err := w.PutLifecycleHook(w.ctx, &autoscaling.PutLifecycleHookInput{
			AutoScalingGroupName: new("g"), LifecycleHookName: new("h"), HeartbeatTimeout: new(int32(10)),
		})
		declined(t, err, "ValidationError", "Member must have value greater than or equal to 30")
		must(w.PutLifecycleHook(w.ctx, &autoscaling.PutLifecycleHookInput{
			AutoScalingGroupName: new("g"), LifecycleHookName: new("h"), DefaultResult: new("CONTINUE"),
			NotificationMetadata: new("m"),
		}))(t)
		hooks := must(w.DescribeLifecycleHooks(w.ctx, &autoscaling.DescribeLifecycleHooksInput{
			AutoScalingGroupName: new("g"), LifecycleHookNames: []string{"h", "none"},
		}))(t).LifecycleHooks
		if h := hooks[0]; len(hooks) != 1 || *h.DefaultResult != "CONTINUE" || *h.HeartbeatTimeout != 600 || *h.GlobalTimeout != 60000 || *h.NotificationMetadata != "m" || *h.LifecycleTransition != scalinggroup.Launching {
			t.Errorf("%+v", h)
		}
		must(w.SetDesiredCapacity(w.ctx, &autoscaling.SetDesiredCapacityInput{
			AutoScalingGroupName: new("g"), DesiredCapacity: new(int32(5)),
		}))(t)
		w.settle()
		var waiting []string
		for _, i := range w.describe().Instances {
			if i.LifecycleState == types.LifecycleStatePendingWait {
				waiting = append(waiting, *i.InstanceId)
			}
		}
		if len(waiting) != 2 {
			t.Fatal(w.states())
		}
		token := w.waits(waiting[0])[0].Token
		beat := func() {
			must(w.RecordLifecycleActionHeartbeat(w.ctx, &autoscaling.RecordLifecycleActionHeartbeatInput{
				AutoScalingGroupName: new("g"), LifecycleHookName: new("h"), LifecycleActionToken: &token,
			}))(t)
		}
		for range 3 {
			time.Sleep(9 * time.Minute)
			beat()
		}
		if got := w.states(); got != "[InService:4 Pending:Wait:1]" {
			t.Error(got) // the one without a heartbeat went on
		}
		_, err = w.CompleteLifecycleAction(w.ctx, &autoscaling.CompleteLifecycleActionInput{
			AutoScalingGroupName: new("g"), LifecycleHookName: new("h"), LifecycleActionToken: new("no"),
			LifecycleActionResult: new("CONTINUE"),
		})
		declined(t, err, "ValidationError", "No active Lifecycle Action found with token no")
		_, err = w.CompleteLifecycleAction(w.ctx, &autoscaling.CompleteLifecycleActionInput{
			AutoScalingGroupName: new("g"), LifecycleHookName: new("h"), InstanceId: new("i-0"),
			LifecycleActionResult: new("CONTINUE"),
		})
		declined(t, err, "ValidationError", "No active Lifecycle Action found with instance ID i-0")
		must(w.DeleteLifecycleHook(w.ctx, &autoscaling.DeleteLifecycleHookInput{
			AutoScalingGroupName: new("g"), LifecycleHookName: new("h"),
		}))(t)
		time.Sleep(time.Second)
		if a := w.last(waiting[0]); *a.Description != "Terminating EC2 instance: "+waiting[0] {
			t.Errorf("%+v", a) // it is taken out, as if it had been abandoned
		}
		w.settle()
		if got := w.states(); got != "[InService:5]" {
			t.Error(got)
		}
	})
}

func TestProcessesAreSuspendedAndResumed(t *testing.T) {
	inWorld(t, func(w *world) {
		w.create(nil)
		must(w.SuspendProcesses(w.ctx, &autoscaling.SuspendProcessesInput{
			AutoScalingGroupName: new("g"), ScalingProcesses: []string{"Launch", "Launch"},
		}))(t)
		if p := w.describe().SuspendedProcesses; len(p) != 1 || *p[0].ProcessName != "Launch" || *p[0].SuspensionReason != "User suspended at 2000-01-01T00:01:00Z" {
			t.Errorf("%+v", p)
		}
		must(w.SuspendProcesses(w.ctx, &autoscaling.SuspendProcessesInput{AutoScalingGroupName: new("g")}))(t)
		types := must(w.DescribeScalingProcessTypes(
			w.ctx, &autoscaling.DescribeScalingProcessTypesInput{},
		))(t).Processes
		if p := w.describe().SuspendedProcesses; len(p) != len(types) || len(p) != 9 {
			t.Errorf("%+v", p)
		}
		must(w.ResumeProcesses(w.ctx, &autoscaling.ResumeProcessesInput{AutoScalingGroupName: new("g")}))(t)
		if p := w.describe().SuspendedProcesses; len(p) != 0 {
			t.Errorf("%+v", p)
		}
		_, err := w.SuspendProcesses(w.ctx, &autoscaling.SuspendProcessesInput{
			AutoScalingGroupName: new("g"), ScalingProcesses: []string{"Sleep"},
		})
		declined(t, err, "ValidationError", "Sleep is not a valid process type")
	})
}

func TestTargetGroupsComeAndGo(t *testing.T) {
	inWorld(t, func(w *world) {
		w.create(func(in *autoscaling.CreateAutoScalingGroupInput) { in.TargetGroupARNs = nil })
		tells := func() (out []string) {
			for _, g := range must(w.DescribeLoadBalancerTargetGroups(w.ctx, &autoscaling.DescribeLoadBalancerTargetGroupsInput{
				AutoScalingGroupName: new("g"),
			}))(t).LoadBalancerTargetGroups {
				out = append(out, *g.State)
			}
			return out
		}
		must(w.AttachLoadBalancerTargetGroups(w.ctx, &autoscaling.AttachLoadBalancerTargetGroupsInput{
			AutoScalingGroupName: new("g"), TargetGroupARNs: []string{w.targets},
		}))(t)
		if got := tells(); len(got) != 1 || got[0] != "Adding" {
			t.Error(got)
		}
		w.settle()
		sources := must(w.DescribeTrafficSources(w.ctx, &autoscaling.DescribeTrafficSourcesInput{
			AutoScalingGroupName: new("g"),
		}))(t).TrafficSources
		if got := tells(); got[0] != "Added" || len(sources) != 1 || *sources[0].Identifier != w.targets || *sources[0].State != "Added" || len(store.Targets.By(
			w.store.View(), "target_group", w.targets,
		)) != 3 {
			t.Error(got, sources)
		}
		w.update(func(tx *store.Tx) {
			for _, row := range store.Targets.List(tx) {
				store.Targets.Edit(tx, row.Key(), func(r *store.Target) { r.State = "healthy" })
			}
		})
		if got := tells(); got[0] != "InService" {
			t.Error(got)
		}
		must(w.DetachTrafficSources(w.ctx, &autoscaling.DetachTrafficSourcesInput{
			AutoScalingGroupName: new("g"),
			TrafficSources:       []types.TrafficSourceIdentifier{{Identifier: &w.targets, Type: new("elbv2")}},
		}))(t)
		if got := tells(); len(got) != 1 || got[0] != "Removing" {
			t.Error(got)
		}
		w.settle()
		if got := tells(); len(got) != 0 || len(store.Targets.List(w.store.View())) != 0 {
			t.Error(got)
		}
		_, err := w.DetachLoadBalancerTargetGroups(w.ctx, &autoscaling.DetachLoadBalancerTargetGroupsInput{
			AutoScalingGroupName: new("g"), TargetGroupARNs: []string{w.targets},
		})
		declined(t, err, "ValidationError", "Trying to remove Target Groups that are not part of the group")
		_, err = w.AttachTrafficSources(w.ctx, &autoscaling.AttachTrafficSourcesInput{
			AutoScalingGroupName: new("g"),
			TrafficSources:       []types.TrafficSourceIdentifier{{Identifier: new("lattice"), Type: new("vpc-lattice")}},
		})
		declined(t, err, "NotImplemented", "vpc-lattice")
	})
}

func TestActivitiesAreFilteredAndPagedTheNewestFirst(t *testing.T) {
	inWorld(t, func(w *world) {
		ids := w.create(nil)
		began := time.Now()
		time.Sleep(time.Hour)
		must(w.TerminateInstanceInAutoScalingGroup(w.ctx, &autoscaling.TerminateInstanceInAutoScalingGroupInput{
			InstanceId: &ids[0], ShouldDecrementDesiredCapacity: new(true),
		}))(t)
		w.settle()
		find := func(in autoscaling.DescribeScalingActivitiesInput) (n int) {
			t.Helper()
			in.AutoScalingGroupName, in.MaxRecords = new("g"), new(int32(1))
			last := time.Now()
			for {
				out := must(w.DescribeScalingActivities(w.ctx, &in))(t)
				for _, a := range out.Activities {
					if a.StartTime.After(last) {
						t.Error("an older one came first")
					}
					last, n = *a.StartTime, n+1
				}
				if in.NextToken = out.NextToken; in.NextToken == nil {
					return n
				}
			}
		}
		filter := func(name string, values ...string) autoscaling.DescribeScalingActivitiesInput {
			return autoscaling.DescribeScalingActivitiesInput{Filters: []types.Filter{{Name: &name, Values: values}}}
		}
		all, after, before := find(autoscaling.DescribeScalingActivitiesInput{}), find(filter(
			"StartTimeLowerBound", began.Format(time.RFC3339),
		)), find(filter("StartTimeUpperBound", began.UTC().Format("2006-01-02T15:04:05")))
		if all != 4 || after != 1 || before != 3 || find(filter(
			"Status", "Successful", "Failed",
		)) != 4 || find(filter("Status", "Failed")) != 0 {
			t.Error(all, after, before)
		}
		if n := find(autoscaling.DescribeScalingActivitiesInput{
			ActivityIds: []string{*w.last(ids[0]).ActivityId, "none"},
		}); n != 1 {
			t.Error(n)
		}
		time.Sleep(scalinggroup.ActivityRetention)
		if n := find(autoscaling.DescribeScalingActivitiesInput{}); n != 0 {
			t.Errorf("%d after six weeks", n)
		}
		_, err := w.DescribeScalingActivities(w.ctx, &autoscaling.DescribeScalingActivitiesInput{
			Filters: []types.Filter{{Name: new("Status"), Values: []string{"Failed"}}},
		})
		declined(t, err, "ValidationError", "AutoScalingGroupName")
	})
}
