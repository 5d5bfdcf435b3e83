//go:build linux

package instances_test

import (
	"testing"
	"testing/synctest"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestStopKeepsDiskAndReleasesPublicAddress(t *testing.T) {
	withLoop(t, func(f *fixture) {
		f.launch("i-1", nil)
		f.stop("i-1")
		f.want("i-1", store.Stopped)
		eni, _ := store.NetworkInterfaces.Get(f.store.View(), "eni-i-1")
		if f.machines.Status("i-1").Boots != 1 || eni.PublicIP.IsValid() || !eni.PrivateIP.IsValid() {
			t.Errorf("machine %s, network interface %+v", f.machines.String(), eni)
		}
		f.start("i-1")
		f.want("i-1", store.Running)
	})
}

func TestPowerOffInsideAppliesShutdownBehavior(t *testing.T) {
	for behavior, state := range map[string]string{"stop": store.Stopped, "terminate": store.Terminated} {
		withLoop(t, func(f *fixture) {
			f.launch("i-1", func(i *store.Instance) { i.ShutdownBehavior = behavior })
			if err := f.machines.PowerOff("i-1"); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			f.want("i-1", state)
			if i := f.instance("i-1"); i.StateReasonCode != "Client.InstanceInitiatedShutdown" {
				t.Errorf("shutdown behavior %s: state reason %q", behavior, i.StateReasonCode)
			}
		})
	}
}

func TestCrashStopsInstance(t *testing.T) {
	withLoop(t, func(f *fixture) {
		f.launch("i-1", nil)
		if err := f.machines.Crash("i-1"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		f.want("i-1", store.Stopped)
		if i := f.instance("i-1"); i.StateReasonCode != "Server.InternalError" {
			t.Errorf("state reason %q", i.StateReasonCode)
		}
	})
}
