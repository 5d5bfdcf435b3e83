package instances_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/control/instances"
	"aloft.dev/aloft/internal/cloud/plane/simulated"
	"aloft.dev/aloft/internal/cloud/store"
)

// house is a loop over a store and machines without a kernel.
type house struct {
	t        *testing.T
	store    *store.Store
	machines simulated.Machines
	loop     *instances.Loop
	synced   int
	stop     func()
}

func (h *house) Sync(context.Context) error { h.synced++; return nil }

// start runs the loop, as a daemon does that starts.
func (h *house) start() {
	h.loop = &instances.Loop{
		Store:    h.store,
		Machines: &h.machines,
		Network:  h,
		Log:      slog.New(slog.DiscardHandler),
		Layer:    func(id string) string { return "/" + id },
		Parallel: 1,
	}
	ctx, cancel := context.WithCancel(h.t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := h.loop.Run(ctx); err != nil {
			h.t.Error(err)
		}
	})
	h.stop = func() { cancel(); running.Wait() }
}

// inHouse runs a test in a bubble of time of its own.
func inHouse(t *testing.T, test func(h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open("")
		if err != nil {
			t.Fatal(err)
		}
		h := &house{t: t, store: s}
		h.update(func(tx *store.Tx) {
			store.VPCs.Put(
				tx,
				&store.VPC{ID: "vpc-1", Region: "r", CIDR: netip.MustParsePrefix("10.0.0.0/16"), DNSSupport: true},
			)
		})
		h.start()
		defer func() { h.stop(); _ = s.Close() }()
		test(h)
	})
}

func (h *house) update(do func(tx *store.Tx)) {
	h.t.Helper()
	if err := h.store.Update(func(tx *store.Tx) error { do(tx); return nil }); err != nil {
		h.t.Fatal(err)
	}
	synctest.Wait()
}

// launch writes an instance as RunInstances does.
func (h *house) launch(id string, change func(*store.Instance)) {
	h.t.Helper()
	h.update(func(tx *store.Tx) {
		i := &store.Instance{
			ID:               id,
			Region:           "r",
			VPCID:            "vpc-1",
			Type:             "t3.micro",
			InterfaceIDs:     []string{"eni-" + id},
			Layers:           []string{"base-debian-12"},
			RootVolumeID:     "vol-" + id,
			ShutdownBehavior: "stop",
			Wanted:           store.Running,
			State:            store.Pending,
		}
		if change != nil {
			change(i)
		}
		store.Instances.Put(tx, i)
		store.Volumes.Put(tx, &store.Volume{ID: "vol-" + id, Region: "r", InstanceID: id, DeleteOnTermination: true})
		store.NetworkInterfaces.Put(tx, &store.NetworkInterface{
			ID:                  "eni-" + id,
			Region:              "r",
			VPCID:               "vpc-1",
			PrivateIP:           netip.MustParseAddr("10.0.1.5"),
			PublicIP:            netip.MustParseAddr("198.18.1.5"),
			InstanceID:          id,
			DeleteOnTermination: true,
		})
	})
}

func (h *house) edit(id string, change func(*store.Instance)) {
	h.t.Helper()
	h.update(func(tx *store.Tx) { store.Instances.Edit(tx, id, change) })
}

func (h *house) instance(id string) *store.Instance {
	i, ok := store.Instances.Get(h.store.View(), id)
	if !ok {
		return &store.Instance{State: "gone"}
	}
	return i
}

func (h *house) want(id, state string) {
	h.t.Helper()
	if got := h.instance(id).State; got != state {
		h.t.Fatalf("%s is %s, want %s; machines:\n%s", id, got, state, h.machines.String())
	}
}

func TestAWantedInstanceGetsItsMachine(t *testing.T) {
	inHouse(t, func(h *house) {
		h.launch("i-1", nil)
		h.want("i-1", store.Running)
		if got := h.machines.String(); got != "i-1 running ip-10-0-1-5 2 vCPU 1024 MiB on /base-debian-12\n" {
			t.Error(got)
		}
		if i := h.instance("i-1"); !i.Reachable || i.UIDBase == 0 || h.synced == 0 {
			t.Errorf("%+v, the network was set %d times", i, h.synced)
		}
		h.launch("i-2", nil)
		if h.instance("i-1").UIDBase == h.instance("i-2").UIDBase {
			t.Error("two machines share user ids")
		}
	})
}

func TestALaunchThatFailsIsTriedAgainAndGivenUpWithTheReason(t *testing.T) {
	inHouse(t, func(h *house) {
		h.machines.Fail("Boot i-1", errors.New("one"), errors.New("two"))
		h.launch("i-1", nil)
		time.Sleep(time.Minute)
		h.want("i-1", store.Running)

		h.machines.Fail("Boot i-2", errors.New("one"), errors.New("two"), errors.New("no room on the disk"))
		h.launch("i-2", nil)
		time.Sleep(time.Minute)
		h.want("i-2", store.Terminated) // it has never run
		if i := h.instance("i-2"); i.StateReasonCode != "Server.InternalError" ||
			!strings.Contains(i.StateReason, "no room on the disk") {
			t.Errorf("%q %q", i.StateReasonCode, i.StateReason)
		}

		h.edit("i-1", func(i *store.Instance) { i.Wanted, i.State = store.Stopped, store.Stopping })
		h.want("i-1", store.Stopped)
		h.machines.Fail("Prepare i-1", errors.New("a"), errors.New("b"), errors.New("c"))
		h.edit("i-1", func(i *store.Instance) { i.Wanted, i.State = store.Running, store.Pending })
		time.Sleep(time.Minute)
		h.want("i-1", store.Stopped) // it has, and keeps its disk
		if _, ok := store.Volumes.Get(h.store.View(), "vol-i-1"); !ok {
			t.Error("its disk is gone")
		}
	})
}

func TestAStopKeepsTheDiskAndGivesThePublicAddressBack(t *testing.T) {
	inHouse(t, func(h *house) {
		h.launch("i-1", nil)
		h.edit("i-1", func(i *store.Instance) { i.Wanted, i.State = store.Stopped, store.Stopping })
		h.want("i-1", store.Stopped)
		eni, _ := store.NetworkInterfaces.Get(h.store.View(), "eni-i-1")
		if h.machines.Status("i-1").Boots != 1 || eni.PublicIP.IsValid() || !eni.PrivateIP.IsValid() {
			t.Errorf("%s %+v", h.machines.String(), eni)
		}
		h.edit("i-1", func(i *store.Instance) { i.Wanted, i.State = store.Running, store.Pending })
		h.want("i-1", store.Running)
	})
}

func TestARebootLeavesTheInstanceRunning(t *testing.T) {
	inHouse(t, func(h *house) {
		h.launch("i-1", nil)
		h.edit("i-1", func(i *store.Instance) { i.Reboots++ })
		h.want("i-1", store.Running)
		if i := h.instance("i-1"); h.machines.Calls("Reboot") != 1 || i.RebootsDone != 1 || !i.Reachable {
			t.Errorf("%d reboots, %+v", h.machines.Calls("Reboot"), i)
		}
	})
}

func TestATerminatedInstanceLosesAllAndIsRememberedForAnHour(t *testing.T) {
	inHouse(t, func(h *house) {
		h.launch("i-1", nil)
		h.edit("i-1", func(i *store.Instance) { i.Wanted, i.State = store.Terminated, store.ShuttingDown })
		h.want("i-1", store.Terminated)
		view := h.store.View()
		if len(h.machines.List()) != 0 || len(store.Volumes.List(view)) != 0 ||
			len(store.NetworkInterfaces.List(view)) != 0 {
			t.Errorf("left: %s", h.machines.String())
		}
		time.Sleep(59 * time.Minute)
		h.want("i-1", store.Terminated)
		time.Sleep(2 * time.Minute)
		h.want("i-1", "gone")
	})
}

func TestAVolumeThatIsToOutliveItsInstanceDoes(t *testing.T) {
	inHouse(t, func(h *house) {
		h.launch("i-1", nil)
		h.update(func(tx *store.Tx) {
			store.Volumes.Edit(tx, "vol-i-1", func(v *store.Volume) { v.DeleteOnTermination = false })
			store.Instances.Edit(
				tx, "i-1", func(i *store.Instance) { i.Wanted, i.State = store.Terminated, store.ShuttingDown },
			)
		})
		if v, ok := store.Volumes.Get(h.store.View(), "vol-i-1"); !ok || v.State != "available" || v.InstanceID != "" {
			t.Errorf("%+v %v", v, ok)
		}
	})
}

func TestAMachineThatGoesDownByItselfIsStoppedOrTerminatedAsItWasAsked(t *testing.T) {
	for behavior, state := range map[string]string{"stop": store.Stopped, "terminate": store.Terminated} {
		inHouse(t, func(h *house) {
			h.launch("i-1", func(i *store.Instance) { i.ShutdownBehavior = behavior })
			if err := h.machines.PowerOff("i-1"); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			h.want("i-1", state)
			if i := h.instance("i-1"); i.StateReasonCode != "Client.InstanceInitiatedShutdown" {
				t.Errorf("%s: %q", behavior, i.StateReasonCode)
			}
		})
	}
	inHouse(t, func(h *house) {
		h.launch("i-1", nil)
		if err := h.machines.Crash("i-1"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		h.want("i-1", store.Stopped)
		if i := h.instance("i-1"); i.StateReasonCode != "Server.InternalError" {
			t.Errorf("%q", i.StateReasonCode)
		}
	})
}

func TestAnotherRunAdoptsTheMachinesAndRemovesThoseOfNobody(t *testing.T) {
	inHouse(t, func(h *house) {
		for i := range 3 {
			h.launch(fmt.Sprintf("i-%d", i), nil)
		}
		h.stop()
		// While no daemon runs: one instance is forgotten, one machine powers off.
		h.update(func(tx *store.Tx) { store.Instances.Delete(tx, "i-0") })
		if err := h.machines.PowerOff("i-1"); err != nil {
			t.Fatal(err)
		}
		h.start()
		synctest.Wait()
		if got := h.machines.List(); !slices.Equal(got, []string{"i-1", "i-2"}) || h.machines.Calls("Prepare") != 3 {
			t.Errorf("machines %v, prepared %d times", got, h.machines.Calls("Prepare"))
		}
		h.want("i-1", store.Stopped)
		h.want("i-2", store.Running)
	})
}

func TestInstancesWhoseMachinesTheCloudStartsAnewAreToldSoAtOnce(t *testing.T) {
	inHouse(t, func(h *house) {
		for i := range 3 {
			h.launch(fmt.Sprintf("i-%d", i), nil)
		}
		h.stop()
		for _, id := range h.machines.List() { // the local cloud is stopped, and started a day later
			if err := h.machines.Stop(t.Context(), id, false); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(24 * time.Hour)
		h.machines.Fail("Prepare i-2", errors.New("later"))
		h.start()
		synctest.Wait()
		for i := range 3 {
			if row := h.instance(fmt.Sprintf("i-%d", i)); row.State != store.Running ||
				time.Since(row.Booted) > time.Second {
				t.Errorf("%s is %s, booted %s", row.ID, row.State, row.Booted)
			}
		}
	})
}

func TestTheWorkGrowsWithTheNumberOfMachinesAndNoFaster(t *testing.T) {
	calls := func(n int) (boots, syncs int) {
		inHouse(t, func(h *house) {
			for i := range n {
				h.launch(fmt.Sprintf("i-%03d", i), nil)
			}
			h.want(fmt.Sprintf("i-%03d", n-1), store.Running)
			boots, syncs = h.machines.Calls("Boot"), h.synced
		})
		return boots, syncs
	}
	fewBoots, fewSyncs := calls(30)
	boots, syncs := calls(300)
	if fewBoots != 30 || boots != 300 || syncs > 10*fewSyncs {
		t.Errorf("30 machines: %d boots, %d applications of the network; 300: %d, %d", fewBoots, fewSyncs, boots, syncs)
	}
}
