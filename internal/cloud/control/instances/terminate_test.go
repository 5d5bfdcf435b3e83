//go:build linux

package instances_test

import (
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestTerminationDeletesEverythingButTheRowForAnHour(t *testing.T) {
	withLoop(t, func(f *fixture) {
		f.launch("i-1", nil)
		f.update(func(tx *store.Tx) { store.SpotRequests.Put(tx, &store.SpotRequest{ID: "sir-1", InstanceID: "i-1"}) })
		f.edit("i-1", func(i *store.Instance) { i.SpotRequestID = "sir-1" })
		f.terminate("i-1")
		f.want("i-1", store.Terminated)
		view := f.store.View()
		if len(f.machines.List()) != 0 || len(store.Volumes.List(view)) != 0 ||
			len(store.NetworkInterfaces.List(view)) != 0 {
			t.Errorf("left after termination: machines %q, volumes %d, network interfaces %d", f.machines.List(),
				len(store.Volumes.List(view)), len(store.NetworkInterfaces.List(view)))
		}
		time.Sleep(59 * time.Minute)
		f.want("i-1", store.Terminated)
		if _, ok := store.SpotRequests.Get(f.store.View(), "sir-1"); !ok {
			t.Error("the Spot request is gone before its instance")
		}
		time.Sleep(2 * time.Minute)
		f.want("i-1", "gone")
		if _, ok := store.SpotRequests.Get(f.store.View(), "sir-1"); ok {
			t.Error("the Spot request outlives its instance")
		}
	})
}

func TestVolumeWithoutDeleteOnTerminationOutlivesItsInstance(t *testing.T) {
	withLoop(t, func(f *fixture) {
		f.launch("i-1", nil)
		f.update(func(tx *store.Tx) {
			store.Volumes.Edit(tx, "vol-i-1", func(v *store.Volume) { v.DeleteOnTermination = false })
		})
		f.terminate("i-1")
		if v, ok := store.Volumes.Get(f.store.View(), "vol-i-1"); !ok || v.State != "available" || v.InstanceID != "" {
			t.Errorf("volume %+v, exists: %t", v, ok)
		}
	})
}

// inService registers an instance with a target group.
func inService(f *fixture, id string) {
	f.update(func(tx *store.Tx) { store.Targets.Put(tx, &store.Target{TargetGroupARN: "arn", ID: id}) })
}

func TestMachineShutsDownWhenLoadBalancersHaveLeftIt(t *testing.T) {
	withLoop(t, func(f *fixture) {
		f.launch("i-1", nil)
		inService(f, "i-1")
		f.terminate("i-1")
		time.Sleep(time.Second)
		f.want("i-1", store.ShuttingDown)
		if s := f.machines.Status("i-1").State; s != machine.Running {
			t.Errorf("the machine is %s while a load balancer sends it requests", s)
		}
		f.update(func(tx *store.Tx) {
			t := *store.TargetsByID.List(tx, "i-1")[0]
			t.DeregisteredAt = time.Now()
			store.Targets.Put(tx, &t)
		})
		f.want("i-1", store.Terminated)
	})
}

func TestMachineDoesNotWaitForALostBalancer(t *testing.T) {
	withLoop(t, func(f *fixture) {
		f.launch("i-1", nil)
		inService(f, "i-1")
		f.terminate("i-1")
		time.Sleep(3 * time.Second)
		f.want("i-1", store.Terminated)
	})
}

func TestMachineThatSkipsItsShutdownWaitsForNothing(t *testing.T) {
	withLoop(t, func(f *fixture) {
		f.launch("i-1", nil)
		inService(f, "i-1")
		f.edit("i-1", func(i *store.Instance) {
			i.Desired, i.State, i.Force = store.Terminated, store.ShuttingDown, true
		})
		f.want("i-1", store.Terminated)
	})
}
