//go:build linux

package autoscaling_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// putPool creates the group's warm pool, changed by change if it is not nil.
func (w *world) putPool(change func(*autoscaling.PutWarmPoolInput)) {
	w.t.Helper()
	in := &autoscaling.PutWarmPoolInput{AutoScalingGroupName: new("g")}
	if change != nil {
		change(in)
	}
	must(w.PutWarmPool(w.ctx, in))(w.t)
	w.waitForLoop()
}

func (w *world) describePool() *autoscaling.DescribeWarmPoolOutput {
	w.t.Helper()
	return must(w.DescribeWarmPool(w.ctx, &autoscaling.DescribeWarmPoolInput{AutoScalingGroupName: new("g")}))(w.t)
}

// poolStates returns how many instances of the pool are in each lifecycle state, and in which
// states their machines are.
func (w *world) poolStates() string {
	n := map[string]int{}
	for _, i := range w.describePool().Instances {
		row, _ := store.Instances.Get(w.store.View(), *i.InstanceId)
		n[string(i.LifecycleState)+" "+row.State]++
	}
	return strings.TrimPrefix(fmt.Sprint(n), "map")
}

func (w *world) desire(n int32) {
	w.t.Helper()
	must(w.SetDesiredCapacity(w.ctx, &autoscaling.SetDesiredCapacityInput{
		AutoScalingGroupName: new("g"), DesiredCapacity: &n,
	}))(w.t)
	w.waitForLoop()
}

func TestGroupsGrowFromTheirWarmPools(t *testing.T) {
	withLoop(t, func(w *world) {
		w.createGroup(nil)
		w.putPool(nil)
		check(t, "pool", w.poolStates(), "[Warmed:Stopped stopped:3]") // up to the maximum of six
		g := w.describeGroup()
		check(t, "WarmPoolSize", *g.WarmPoolSize, 3)
		check(t, "number of instances", len(g.Instances), 3)
		warm := map[string]bool{}
		for _, i := range w.describePool().Instances {
			warm[*i.InstanceId] = true
			a := w.newestActivity(*i.InstanceId)
			check(t, "Description", *a.Description, "Launching a new EC2 instance into warm pool: "+*i.InstanceId)
			check(t, "StatusCode", a.StatusCode, types.ScalingActivityStatusCodeSuccessful)
		}
		sick := w.describePool().Instances[0].InstanceId
		must(w.SetInstanceHealth(w.ctx, &autoscaling.SetInstanceHealthInput{
			InstanceId: sick, HealthStatus: new("Unhealthy"),
		}))(t)
		w.waitForLoop()
		check(t, "pool", w.poolStates(), "[Warmed:Stopped stopped:3]")
		row, _ := store.Instances.Get(w.store.View(), *sick)
		check(t, "an unhealthy instance", row.State, store.Terminated)
		for _, i := range w.describePool().Instances {
			warm[*i.InstanceId] = true
		}
		w.desire(5)
		check(t, "pool", w.poolStates(), "[Warmed:Stopped stopped:1]")
		taken := 0
		for _, i := range w.describeGroup().Instances {
			if warm[*i.InstanceId] {
				taken++
				a := w.newestActivity(*i.InstanceId)
				check(t, "Description", *a.Description, "Launching a new EC2 instance from warm pool: "+*i.InstanceId)
				check(t, "registrations", w.registrations(*i.InstanceId), 1)
			}
		}
		check(t, "instances taken from the pool", taken, 2)
		check(t, "lifecycle states", w.lifecycleStates(), "[InService:5]")
		w.desire(2)
		check(t, "lifecycle states", w.lifecycleStates(), "[InService:2]")
		check(t, "pool", w.poolStates(), "[Warmed:Stopped stopped:4]")

		w.putPool(func(in *autoscaling.PutWarmPoolInput) {
			in.MaxGroupPreparedCapacity, in.MinSize = new(int32(3)), new(int32(1))
		})
		check(t, "pool", w.poolStates(), "[Warmed:Stopped stopped:1]")
		must(w.DeleteWarmPool(w.ctx, &autoscaling.DeleteWarmPoolInput{AutoScalingGroupName: new("g")}))(t)
		check(t, "Status", w.describePool().WarmPoolConfiguration.Status, types.WarmPoolStatusPendingDelete)
		w.waitForLoop()
		if out := w.describePool(); out.WarmPoolConfiguration != nil || len(out.Instances) > 0 {
			t.Errorf("after its deletion: %+v", out)
		}
		check(t, "lifecycle states", w.lifecycleStates(), "[InService:2]")
	})
}

func TestWarmPoolsKeepZonesEven(t *testing.T) {
	withLoop(t, func(w *world) {
		w.createGroup(nil)
		w.putPool(func(in *autoscaling.PutWarmPoolInput) { in.MaxGroupPreparedCapacity = new(int32(4)) })
		warm := w.describePool().Instances[0]
		for _, i := range w.describeGroup().Instances {
			terminate := func() {
				must(w.TerminateInstanceInAutoScalingGroup(w.ctx, &autoscaling.TerminateInstanceInAutoScalingGroupInput{
					InstanceId: i.InstanceId, ShouldDecrementDesiredCapacity: new(false),
				}))(t)
				w.waitForLoop()
			}
			same := *i.AvailabilityZone == *warm.AvailabilityZone
			if terminate(); same {
				break // its replacement came from the pool
			}
			check(t, "the pool's instance", *w.describePool().Instances[0].InstanceId, *warm.InstanceId)
		}
		zones := map[string]bool{}
		taken := false
		for _, i := range w.describeGroup().Instances {
			zones[*i.AvailabilityZone] = true
			taken = taken || *i.InstanceId == *warm.InstanceId
		}
		check(t, "number of zones", len(zones), 3)
		check(t, "the pool's instance was taken", taken, true)
	})
}

func TestInstancesReturnToTheWarmPool(t *testing.T) {
	withLoop(t, func(w *world) {
		ids := w.createGroup(nil)
		w.putPool(func(in *autoscaling.PutWarmPoolInput) {
			in.PoolState, in.MaxGroupPreparedCapacity = types.WarmPoolStateRunning, new(int32(3))
			in.InstanceReusePolicy = &types.InstanceReusePolicy{ReuseOnScaleIn: new(true)}
		})
		check(t, "pool", w.poolStates(), "[]")
		w.desire(1)
		time.Sleep(10 * time.Minute) // the target group drains
		w.waitForLoop()
		check(t, "pool", w.poolStates(), "[Warmed:Running running:2]")
		check(t, "lifecycle states", w.lifecycleStates(), "[InService:1]")
		w.desire(3)
		again := map[string]bool{}
		for _, i := range w.describeGroup().Instances {
			again[*i.InstanceId] = true
		}
		for _, id := range ids {
			if !again[id] {
				t.Errorf("%s did not return to the group", id)
			}
		}
	})
}

func TestHooksWaitForInstancesOnTheirWayIntoThePoolAndOut(t *testing.T) {
	withLoop(t, func(w *world) {
		w.addTopic()
		w.createGroup(nil)
		must(w.PutLifecycleHook(w.ctx, &autoscaling.PutLifecycleHookInput{
			AutoScalingGroupName: new("g"), LifecycleHookName: new("h"),
			LifecycleTransition: new(scalinggroup.Launching), DefaultResult: new("CONTINUE"),
			NotificationTargetARN: new(topicARN), RoleARN: new(roleARN), HeartbeatTimeout: new(int32(600)),
		}))(t)
		w.messages()
		w.putPool(func(in *autoscaling.PutWarmPoolInput) { in.MaxGroupPreparedCapacity = new(int32(4)) })
		check(t, "pool", w.poolStates(), "[Warmed:Pending:Wait running:1]")
		id := *w.describePool().Instances[0].InstanceId
		subject := "Auto Scaling:  Lifecycle action 'LAUNCHING' for instance " + id + " in progress."
		message := w.messages()[subject]
		check(t, "Origin and Destination", fmt.Sprintf("%v %v", message["Origin"], message["Destination"]),
			"EC2 WarmPool")
		time.Sleep(10 * time.Minute)
		w.waitForLoop()
		check(t, "pool", w.poolStates(), "[Warmed:Stopped stopped:1]")
		w.desire(4)
		check(t, "lifecycle states", w.lifecycleStates(), "[InService:3 Pending:Wait:1]")
		message = w.messages()[subject]
		check(t, "Origin and Destination", fmt.Sprintf("%v %v", message["Origin"], message["Destination"]),
			"WarmPool AutoScalingGroup")
		time.Sleep(10 * time.Minute)
		w.waitForLoop()
		check(t, "lifecycle states", w.lifecycleStates(), "[InService:4]")
	})
}

func TestARefreshReplacesTheWarmPool(t *testing.T) {
	withLoop(t, func(w *world) {
		w.createGroup(func(in *createInput) { in.DesiredCapacity = new(int32(1)) })
		w.putPool(func(in *autoscaling.PutWarmPoolInput) { in.MaxGroupPreparedCapacity = new(int32(3)) })
		w.mustConfigure("lc", nil)
		must(w.UpdateAutoScalingGroup(w.ctx, &autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName: new("g"), LaunchConfigurationName: new("lc"),
		}))(t)
		must(w.StartInstanceRefresh(w.ctx, &autoscaling.StartInstanceRefreshInput{
			AutoScalingGroupName: new("g"),
		}))(t)
		time.Sleep(time.Hour)
		w.waitForLoop()
		check(t, "pool", w.poolStates(), "[Warmed:Stopped stopped:2]")
		for _, i := range append(w.describePool().Instances, w.describeGroup().Instances...) {
			check(t, "InstanceType of "+*i.InstanceId, *i.InstanceType, "t3.small")
		}
	})
}

func TestADeletedGroupEmptiesItsWarmPool(t *testing.T) {
	withLoop(t, func(w *world) {
		w.createGroup(nil)
		w.putPool(nil)
		must(w.DeleteAutoScalingGroup(w.ctx, &autoscaling.DeleteAutoScalingGroupInput{
			AutoScalingGroupName: new("g"), ForceDelete: new(true),
		}))(t)
		w.waitForLoop()
		view := w.store.View()
		check(t, "groups", len(store.ScalingGroups.List(view)), 0)
		check(t, "pools", len(store.WarmPools.List(view)), 0)
		for _, i := range store.Instances.List(view) {
			check(t, "state of "+i.ID, i.State, store.Terminated)
		}
	})
}

func TestWarmPoolsAreRefused(t *testing.T) {
	w := newWorld(t)
	must(w.CreateAutoScalingGroup(w.ctx, w.groupOfThree()))(t)
	for name, c := range map[string]struct {
		change     func(*autoscaling.PutWarmPoolInput)
		code, text string
	}{
		"state": {
			func(in *autoscaling.PutWarmPoolInput) { in.PoolState = "Cold" }, "ValidationError", "enum value set",
		},
		"hibernation": {
			func(in *autoscaling.PutWarmPoolInput) { in.PoolState = "Hibernated" }, "NotImplemented", "Hibernated",
		},
		"minimum": {
			func(in *autoscaling.PutWarmPoolInput) { in.MinSize = new(int32(-1)) }, "ValidationError", "minSize",
		},
		"maximum": {
			func(in *autoscaling.PutWarmPoolInput) { in.MaxGroupPreparedCapacity = new(int32(-2)) },
			"ValidationError", "maxGroupPreparedCapacity",
		},
		"bounds": {
			func(in *autoscaling.PutWarmPoolInput) {
				in.MinSize, in.MaxGroupPreparedCapacity = new(int32(3)), new(int32(2))
			}, "ValidationError", "MaxGroupPreparedCapacity",
		},
		"group": {
			func(in *autoscaling.PutWarmPoolInput) { in.AutoScalingGroupName = new("no") }, "ValidationError", "no",
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := &autoscaling.PutWarmPoolInput{AutoScalingGroupName: new("g")}
			c.change(in)
			_, err := w.PutWarmPool(w.ctx, in)
			wantError(t, err, c.code, c.text)
		})
	}
	_, err := w.DeleteWarmPool(w.ctx, &autoscaling.DeleteWarmPoolInput{AutoScalingGroupName: new("g")})
	wantError(t, err, "ValidationError", "No warm pool found")
	must(w.PutWarmPool(w.ctx, &autoscaling.PutWarmPoolInput{AutoScalingGroupName: new("g")}))(t)
	in := w.groupOfThree()
	mixedPolicy(nil, types.LaunchTemplateOverrides{InstanceType: new("t3.micro")})(in)
	_, err = w.UpdateAutoScalingGroup(w.ctx, &autoscaling.UpdateAutoScalingGroupInput{
		AutoScalingGroupName: new("g"), MixedInstancesPolicy: in.MixedInstancesPolicy,
	})
	wantError(t, err, "NotImplemented", "mixed instances policy")
}
