//go:build linux

package scaling_test

import (
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestNewGroupLaunchesOneInstancePerZone(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.want(store.LifecycleInService, "i-001", "i-002", "i-003")
		if z := w.zones(); z["a"] != 1 || z["b"] != 1 || z["c"] != 1 {
			t.Errorf("%v", z)
		}
		a := w.activities("i-001")
		want := "At 2000-01-01T00:00:00Z a user request created an AutoScalingGroup changing the desired capacity " +
			"from 0 to 3.  " +
			"At 2000-01-01T00:00:00Z an instance was started in response to a difference between desired and actual " +
			"capacity, increasing the capacity from 0 to 3."
		if len(a) != 1 || a[0].Cause != want || a[0].Description != "Launching a new EC2 instance: i-001" ||
			a[0].Status != "Successful" ||
			a[0].Progress != 100 ||
			a[0].Details != `{"Availability Zone":"a","Subnet ID":"subnet-a"}` {
			t.Errorf("%+v", a[0])
		}
	})
}

func TestGroupFollowsDesiredCapacity(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.desire(6)
		w.want(store.LifecycleInService, "i-001", "i-002", "i-003", "i-004", "i-005", "i-006")
		w.desire(4)
		if got := w.states()[store.LifecycleTerminating]; len(got) != 2 {
			t.Fatalf("%v", w.states())
		}
		out := w.states()[store.LifecycleTerminating][0]
		if a := w.activities(out)[1]; a.Status != "WaitingForELBConnectionDraining" ||
			a.Description != "Terminating EC2 instance: "+out+" - Waiting For ELB Connection Draining." {
			t.Errorf("%+v", a)
		}
		if w.fleet.calls["Terminate"] != 0 {
			t.Error("the instance was terminated before its connections drained")
		}
		w.pass(2 * time.Minute)
		if w.fleet.calls["Terminate"] != 2 || len(w.states()) != 1 {
			t.Errorf("%v %v", w.fleet.calls, w.states())
		}
		if a := w.activities(out)[1]; a.Status != "Successful" || a.Description != "Terminating EC2 instance: "+out {
			t.Errorf("%+v", a)
		}
	})
}
