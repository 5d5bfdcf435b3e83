package instances_test

import (
	"testing"
	"testing/synctest"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestStopKeepsDiskAndReleasesPublicAddress(t *testing.T) {
	withLoop(t, func(f *fixture) {
		f.launch("i-1", nil)
		f.edit("i-1", func(i *store.Instance) { i.Wanted, i.State = store.Stopped, store.Stopping })
		f.want("i-1", store.Stopped)
		eni, _ := store.NetworkInterfaces.Get(f.store.View(), "eni-i-1")
		if f.machines.Status("i-1").Boots != 1 || eni.PublicIP.IsValid() || !eni.PrivateIP.IsValid() {
			t.Errorf("%s %+v", f.machines.String(), eni)
		}
		f.edit("i-1", func(i *store.Instance) { i.Wanted, i.State = store.Running, store.Pending })
		f.want("i-1", store.Running)
	})
}

func TestMachineEndingByItselfStopsOrTerminatesItsInstance(t *testing.T) {
	for behavior, state := range map[string]string{"stop": store.Stopped, "terminate": store.Terminated} {
		withLoop(t, func(f *fixture) {
			f.launch("i-1", func(i *store.Instance) { i.ShutdownBehavior = behavior })
			if err := f.machines.PowerOff("i-1"); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			f.want("i-1", state)
			if i := f.instance("i-1"); i.StateReasonCode != "Client.InstanceInitiatedShutdown" {
				t.Errorf("%s: %q", behavior, i.StateReasonCode)
			}
		})
	}
	withLoop(t, func(f *fixture) {
		f.launch("i-1", nil)
		if err := f.machines.Crash("i-1"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		f.want("i-1", store.Stopped)
		if i := f.instance("i-1"); i.StateReasonCode != "Server.InternalError" {
			t.Errorf("%q", i.StateReasonCode)
		}
	})
}
