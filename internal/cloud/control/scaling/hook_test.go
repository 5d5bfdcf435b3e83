//go:build linux

package scaling_test

import (
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

func (w *world) hook(name, transition, result string, heartbeat int32) {
	w.t.Helper()
	w.update(func(tx *store.Tx) {
		store.LifecycleHooks.Put(tx, &store.LifecycleHook{
			Region:           "r",
			Group:            "g",
			Name:             name,
			Transition:       transition,
			DefaultResult:    result,
			HeartbeatTimeout: heartbeat,
		})
	})
}

// complete completes the lifecycle action of a hook.
func (w *world) complete(id, hook, result string) {
	w.t.Helper()
	w.update(func(tx *store.Tx) {
		store.ScalingInstances.Edit(tx, id, func(i *store.ScalingInstance) {
			i.Waits = append([]store.HookWait(nil), i.Waits...)
			for n := range i.Waits {
				if i.Waits[n].Hook == hook {
					i.Waits[n].Result = result
				}
			}
		})
	})
	w.pass(time.Second)
}

func TestLaunchWaitsForAllHooksAtOnce(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.hook("one", scalinggroup.Launching, scalinggroup.Abandon, 600)
		w.hook("two", scalinggroup.Launching, scalinggroup.Continue, 60)
		w.desire(4)
		w.want(store.LifecyclePendingWait, "i-004")
		if a := w.activities("i-004")[0]; a.Status != "MidLifecycleAction" || w.fleet.calls["Register"] != 3 {
			t.Errorf("%+v, %v", a, w.fleet.calls)
		}
		w.complete("i-004", "one", scalinggroup.Continue)
		w.want(store.LifecyclePendingWait, "i-004") // for the other hook
		w.pass(time.Minute)
		w.want(store.LifecycleInService, "i-001", "i-002", "i-003", "i-004") // its default result is CONTINUE
	})
}

func TestAbandonedLaunchIsTerminatedAndRetried(t *testing.T) {
	for _, how := range []string{"Lifecycle Action Completed with ABANDON Result", "Heartbeat Timeout"} {
		inWorld(t, nil, func(w *world) {
			w.hook("boot", scalinggroup.Launching, scalinggroup.Abandon, 60)
			w.desire(4)
			if how == "Heartbeat Timeout" {
				w.pass(time.Minute)
			} else {
				w.complete("i-004", "boot", scalinggroup.Abandon)
			}
			a := w.activities("i-004")[0]
			if a.Status != "Cancelled" || !strings.HasSuffix(a.StatusMessage, "was abandoned: "+how) ||
				!strings.HasPrefix(
					a.StatusMessage,
					"Instance failed to complete user's Lifecycle Action: Lifecycle Action with token ",
				) ||
				a.Description != "Launching a new EC2 instance: i-004.  Status Reason: "+a.StatusMessage {
				t.Errorf("%+v", a)
			}
			if w.fleet.calls["Launch"] != 5 && len(w.states()[store.LifecycleInService]) != 3 {
				t.Errorf("%v", w.states())
			}
			w.pass(30 * time.Second)
			w.want(store.LifecyclePendingWait, "i-005")
		})
	}
}

func TestTerminationDrainsThenWaitsForHooks(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.hook("bye", scalinggroup.Terminating, scalinggroup.Abandon, 300)
		w.hook("logs", scalinggroup.Terminating, scalinggroup.Abandon, 7200)
		w.desire(2)
		w.want(store.LifecycleTerminating, "i-001")
		w.pass(2 * time.Minute)
		w.want(store.LifecycleTerminatingWait, "i-001")
		if w.fleet.calls["Terminate"] != 0 {
			t.Error("the instance was terminated before its hooks were done")
		}
		w.pass(5 * time.Minute) // the first one's default result ends the wait for both
		if len(w.states()) != 1 || w.fleet.calls["Terminate"] != 1 {
			t.Errorf("%v %v", w.states(), w.fleet.calls)
		}
	})
}

func TestDeletedGroupSkipsHooks(t *testing.T) {
	inWorld(t, func(g *store.ScalingGroup) { g.ProtectNewInstances = true }, func(w *world) {
		w.hook("bye", scalinggroup.Terminating, scalinggroup.Continue, 7200)
		w.update(func(tx *store.Tx) {
			store.ScalingInstances.Edit(
				tx, "i-001", func(i *store.ScalingInstance) { i.State = store.LifecycleStandby },
			)
			scalinggroup.ChangeDesired(
				tx,
				key,
				0,
				"a user request update of AutoScalingGroup constraints to min: 0, max: 0, desired: 0",
				time.Now(),
			)
		})
		w.group(func(g *store.ScalingGroup) { g.Min, g.Max, g.Deleting = 0, 0, true })
		w.pass(5 * time.Minute)
		if _, there := store.ScalingGroups.Get(w.store.View(), key); there || w.fleet.calls["Terminate"] != 3 ||
			len(store.LifecycleHooks.List(w.store.View())) != 0 {
			t.Errorf("%v %v\n%s", w.states(), w.fleet.calls, w.history())
		}
		if len(w.activities("i-002")) != 2 {
			t.Error("the group's activities were deleted")
		}
	})
}

func TestInstanceThatDiesBeforeServicePausesItsZone(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.fleet.slow = 10 * time.Second
		w.desire(4)
		w.want(store.LifecyclePending, "i-004")
		w.machine(
			"i-004",
			func(i *store.Instance) { i.State, i.StateReasonCode = store.Terminated, "Server.InternalError" },
		)
		a := w.activities("i-004")[0]
		if want := "Instance became unhealthy while waiting for instance to be in InService state. Termination " +
			"Reason: Server.InternalError"; a.Status != "Cancelled" ||
			a.StatusMessage != want {
			t.Errorf("%+v", a)
		}
		w.want(store.LifecyclePending, "i-005") // in the next zone
		if i, _ := store.ScalingInstances.Get(w.store.View(), "i-005"); i.Zone == "a" {
			t.Errorf("%+v", i)
		}
	})
}
