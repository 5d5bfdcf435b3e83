//go:build linux

package scaling_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestLaunchMovesToAnotherZoneAndTheBalanceReturns(t *testing.T) {
	inWorld(t, func(g *store.ScalingGroup) { g.Desired = 6 }, func(w *world) {
		full := true
		w.fleet.refuse = func(subnet string) error {
			if full && subnet == "subnet-c" {
				return errCapacity
			}
			return nil
		}
		for _, i := range scalinggroup.Instances(w.store.View(), key) {
			if i.Zone == "c" {
				w.machine(i.InstanceID, func(i *store.Instance) { i.State = store.Terminated })
			}
		}
		if z := w.zones(); z["a"] != 3 || z["b"] != 3 {
			t.Fatalf("%v\n%s", z, w.history())
		}
		var failed []*store.ScalingActivity
		for _, a := range w.activities("") {
			if a.Status == "Failed" {
				failed = append(failed, a)
			}
		}
		reason := "We currently do not have sufficient capacity in the Availability Zone you requested. Launching " +
			"EC2 instance failed."
		if len(failed) == 0 || failed[0].StatusMessage != reason ||
			failed[0].Description != "Launching a new EC2 instance.  Status Reason: "+reason ||
			failed[0].Details != `{"Availability Zone":"c","Subnet ID":"subnet-c"}` {
			t.Fatalf("%+v", failed)
		}
		w.pass(24 * time.Hour)
		if n := w.fleet.calls["Launch"]; n > 320 { // every five minutes at most
			t.Errorf("%d launches in a day", n)
		}
		full = false
		w.pass(time.Hour)
		if z := w.zones(); !maps.Equal(z, map[string]int{"a": 2, "b": 2, "c": 2}) {
			t.Errorf("%v\n%s", z, w.history())
		}
	})
}

func TestBalancedOnlyGroupWaitsForItsZone(t *testing.T) {
	inWorld(t, func(g *store.ScalingGroup) { g.Distribution = "balanced-only" }, func(w *world) {
		w.fleet.refuse = func(subnet string) error {
			if subnet == "subnet-a" {
				return errCapacity
			}
			return nil
		}
		w.desire(6)
		w.pass(time.Hour)
		if z := w.zones(); z["a"] != 1 || z["b"] > 2 || z["c"] > 2 {
			t.Errorf("%v", z)
		}
	})
}

func TestFailedLaunchIsRetriedOncePerZone(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.fleet.refuse = func(string) error { return errCapacity }
		before := w.fleet.calls["Launch"]
		w.desire(6)
		if n := w.fleet.calls["Launch"] - before; n != 3 {
			t.Errorf("%d launches at once, want one a zone", n)
		}
		w.pass(6 * time.Hour)
		w.fleet.refuse = nil
		w.pass(6 * time.Minute)
		if len(w.states()[store.LifecycleInService]) != 6 {
			t.Errorf("%v", w.states())
		}
	})
}

func TestGroupLeavesARemovedZoneLaunchingFirst(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		least := 3
		w.group(func(g *store.ScalingGroup) {
			g.SubnetIDs, g.Zones = []string{"subnet-a", "subnet-b"}, []string{"a", "b"}
		})
		for range 600 {
			w.pass(time.Second)
			least = min(least, len(w.states()[store.LifecycleInService]))
		}
		if z := w.zones(); z["c"] != 0 || z["a"]+z["b"] != 3 || least < 3 {
			t.Errorf("%v, at least %d\n%s", z, least, w.history())
		}
	})
}

func TestRebalancingStatesItsCause(t *testing.T) {
	inWorld(
		t,
		func(g *store.ScalingGroup) { g.Suspended = []store.SuspendedProcess{{Name: scalinggroup.AZRebalance}} },
		func(w *world) {
			w.update(func(tx *store.Tx) { // two instances in one zone
				store.ScalingInstances.Edit(
					tx, "i-002", func(i *store.ScalingInstance) { i.Zone, i.SubnetID = "a", "subnet-a" },
				)
			})
			w.desire(4)
			w.desire(3)
			w.pass(time.Hour)
			w.update(func(tx *store.Tx) {
				for _, i := range scalinggroup.Instances(tx, key) {
					store.ScalingInstances.Edit(
						tx, i.InstanceID, func(i *store.ScalingInstance) { i.Zone, i.SubnetID = "a", "subnet-a" },
					)
				}
			})
			w.pass(time.Hour)
			before := w.fleet.calls["Launch"]
			w.group(func(g *store.ScalingGroup) { g.Suspended = nil })
			w.pass(time.Hour)
			if z := w.zones(); !maps.Equal(z, map[string]int{"a": 1, "b": 1, "c": 1}) ||
				w.fleet.calls["Launch"] != before+2 {
				t.Fatalf("%v\n%s", z, w.history())
			}
			for _, want := range []string{
				"availability zones a b c had 3 0 0 instances respectively.  An instance was launched to aid in " +
					"balancing the group's zones.",
				"instances were launched to balance instances in zones a b c with other zones resulting in more than " +
					"desired number of instances in the group.",
			} {
				if !strings.Contains(w.history(), want) {
					t.Errorf("no activity's cause is %q\n%s", want, w.history())
				}
			}
		},
	)
}

func TestProtectedInstancesAreNotScaledIn(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		protect := func(ids ...string) {
			w.update(func(tx *store.Tx) {
				for _, id := range ids {
					store.ScalingInstances.Edit(tx, id, func(i *store.ScalingInstance) { i.Protected = true })
				}
			})
		}
		protect("i-001", "i-002")
		w.desire(2)
		w.want(store.LifecycleTerminating, "i-003")
		w.desire(0)
		w.pass(time.Hour)
		w.want(store.LifecycleInService, "i-001", "i-002")
		if a := w.activities(""); len(a) != 1 || a[0].Status != "Cancelled" ||
			a[0].Description != "Could not scale to desired capacity because all remaining instances are protected "+
				"from scale in." {
			t.Errorf("%+v", a)
		}
		w.machine(
			"i-001",
			func(i *store.Instance) { i.State = store.Terminated },
		) // protection does not prevent replacement
		w.want(store.LifecycleInService, "i-002")
	})
}

func TestScaleInCausesNameTheChosenInstances(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.desire(1)
		out := w.states()[store.LifecycleTerminating]
		cause := w.activities(out[0])[1].Cause
		at := "At 2000-01-01T00:00:01Z "
		want := at + "a user request explicitly set group desired capacity changing the desired capacity from 3 " +
			"to 1.  " + at +
			"an instance was taken out of service in response to a difference between desired and actual capacity, " +
			"shrinking the capacity from 3 to 1.  " +
			at + "instance i-001 was selected for termination.  " + at + "instance i-002 was selected for termination."
		if !slices.Equal(out, []string{"i-001", "i-002"}) || cause != want {
			t.Errorf("%v %s", out, cause)
		}
	})
}

func TestAttachedTargetGroupsRegisterInstances(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.update(func(tx *store.Tx) { store.TargetGroups.Put(tx, &store.TargetGroup{ARN: "more", Region: "r"}) })
		w.group(func(g *store.ScalingGroup) { g.TargetGroupARNs = []string{"tg", "more"} })
		w.pass(time.Second)
		if n := len(store.TargetsByTargetGroup.List(w.store.View(), "more")); n != 3 {
			t.Errorf("%d registered", n)
		}
		w.update(func(tx *store.Tx) { store.Targets.Delete(tx, "more|i-001|80") }) // by a user
		w.pass(time.Hour)
		if n := len(store.TargetsByTargetGroup.List(w.store.View(), "more")); n != 2 {
			t.Errorf("%d registered, want the user's deregistration to last", n)
		}
		w.group(func(g *store.ScalingGroup) {
			g.TargetGroupARNs, g.DetachedTargetGroups = []string{"tg"}, []string{"more"}
		})
		w.pass(time.Second)
		if g, _ := store.ScalingGroups.Get(w.store.View(), key); len(g.DetachedTargetGroups) != 1 {
			t.Error("the target group was dropped while it drained")
		}
		w.pass(2 * time.Minute)
		g, _ := store.ScalingGroups.Get(w.store.View(), key)
		if left := store.TargetsByTargetGroup.List(w.store.View(), "more"); len(left) != 0 ||
			len(g.DetachedTargetGroups) != 0 ||
			len(store.TargetsByTargetGroup.List(w.store.View(), "tg")) != 3 {
			t.Errorf("%v %v", left, g.DetachedTargetGroups)
		}
		w.update(func(tx *store.Tx) { store.TargetGroups.Delete(tx, "tg") })
		w.desire(4)
		if a := w.activities(""); len(a) == 0 ||
			a[0].StatusMessage != "One or more target groups not found. Validating load balancer configuration "+
				"failed." {
			t.Errorf("%+v", a)
		}
	})
}

func TestNextDaemonContinues(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.stop()
		w.update(func(tx *store.Tx) {
			scalinggroup.ChangeDesired(tx, key, 5, "a user request explicitly set group desired capacity", time.Now())
			store.ScalingActivities.Put(tx, &store.ScalingActivity{
				ID:       "planned",
				Region:   "r",
				Group:    "g",
				GroupARN: "arn:g",
				Zone:     "b",
				SubnetID: "subnet-b",
				Status:   "PreInService",
				Started:  time.Now(),
			})
			scalinggroup.TakeOutOfService(
				tx, identity.New(nil), "i-001", scalinggroup.ReasonUserHealthCheck, "", time.Now(),
			)
		})
		w.start()
		w.pass(10 * time.Minute)
		if n := len(w.states()[store.LifecycleInService]); n != 5 || len(w.states()) != 1 ||
			w.fleet.calls["Launch"] != 6 {
			t.Errorf("%v %v\n%s", w.states(), w.fleet.calls, w.history())
		}
		if a, _ := store.ScalingActivities.Get(w.store.View(), "planned"); a.Status != "Successful" ||
			a.InstanceID == "" {
			t.Errorf("%+v", a)
		}
	})
}

func TestWorkIsProportionalToInstances(t *testing.T) {
	calls := func(n int32) map[string]int {
		var out map[string]int
		inWorld(t, func(g *store.ScalingGroup) { g.Desired, g.Max = n, n }, func(w *world) {
			w.pass(time.Minute)
			if got := len(w.states()[store.LifecycleInService]); got != int(n) {
				t.Fatalf("%d of %d serve", got, n)
			}
			w.desire(0)
			w.pass(5 * time.Minute)
			out = maps.Clone(w.fleet.calls)
		})
		return out
	}
	for n, got := range map[int32]map[string]int{30: calls(30), 300: calls(300)} {
		for call, count := range got {
			if count != int(n) {
				t.Errorf("%d instances: %s was called %d times", n, call, count)
			}
		}
		if len(got) != 4 {
			t.Error(fmt.Sprint(got))
		}
	}
}
