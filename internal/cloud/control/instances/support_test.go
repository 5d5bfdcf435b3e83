//go:build linux

package instances_test

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"

	"aloft.dev/aloft/internal/cloud/control/instances"
	"aloft.dev/aloft/internal/cloud/plane/simulated"
	"aloft.dev/aloft/internal/cloud/store"
)

// fixture is a loop over an empty store and simulated machines. It also serves as the
// loop's network.
type fixture struct {
	t        *testing.T
	store    *store.Store
	machines simulated.Machines
	loop     *instances.Loop
	synced   int
	stopLoop func()
}

func (f *fixture) Sync(context.Context) error { f.synced++; return nil }

// startLoop runs the loop, as a starting daemon does.
func (f *fixture) startLoop() {
	f.loop = &instances.Loop{
		Store:    f.store,
		Machines: &f.machines,
		Network:  f,
		Log:      slog.New(slog.DiscardHandler),
		Layer:    func(id string) string { return "/" + id },
		Volume:   func(id string) string { return "/volumes/" + id },
		Parallel: 1,
	}
	ctx, cancel := context.WithCancel(f.t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := f.loop.Run(ctx); err != nil {
			f.t.Error(err)
		}
	})
	f.stopLoop = func() { cancel(); running.Wait() }
}

// withLoop runs a test in a synctest bubble beside a running loop.
func withLoop(t *testing.T, test func(f *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open("")
		if err != nil {
			t.Fatal(err)
		}
		f := &fixture{t: t, store: s}
		f.update(func(tx *store.Tx) {
			cidr := netip.MustParsePrefix("10.0.0.0/16")
			store.VPCs.Put(tx, &store.VPC{ID: "vpc-1", Region: "r", CIDR: cidr, DNSSupport: true})
		})
		f.startLoop()
		defer func() { f.stopLoop(); _ = s.Close() }()
		test(f)
	})
}

func (f *fixture) update(do func(tx *store.Tx)) {
	f.t.Helper()
	if err := f.store.Update(func(tx *store.Tx) error { do(tx); return nil }); err != nil {
		f.t.Fatal(err)
	}
	synctest.Wait()
}

// launch adds an instance, as RunInstances does.
func (f *fixture) launch(id string, change func(*store.Instance)) {
	f.t.Helper()
	f.update(func(tx *store.Tx) {
		i := &store.Instance{
			ID:               id,
			Region:           "r",
			VPCID:            "vpc-1",
			Type:             "t3.micro",
			InterfaceIDs:     []string{"eni-" + id},
			Layers:           []string{"base-debian-12"},
			RootVolumeID:     "vol-" + id,
			ShutdownBehavior: "stop",
			Desired:          store.Running,
			State:            store.Pending,
		}
		if change != nil {
			change(i)
		}
		store.Instances.Put(tx, i)
		store.Volumes.Put(tx, &store.Volume{
			ID: "vol-" + id, Region: "r", InstanceID: id, SizeGiB: 8, DeleteOnTermination: true,
		})
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

func (f *fixture) edit(id string, change func(*store.Instance)) {
	f.t.Helper()
	f.update(func(tx *store.Tx) { store.Instances.Edit(tx, id, change) })
}

// start, stop and terminate edit the row as StartInstances, StopInstances and
// TerminateInstances do.
func (f *fixture) start(id string) {
	f.t.Helper()
	f.edit(id, func(i *store.Instance) { i.Desired, i.State = store.Running, store.Pending })
}

func (f *fixture) stop(id string) {
	f.t.Helper()
	f.edit(id, func(i *store.Instance) { i.Desired, i.State = store.Stopped, store.Stopping })
}

func (f *fixture) terminate(id string) {
	f.t.Helper()
	f.edit(id, func(i *store.Instance) { i.Desired, i.State = store.Terminated, store.ShuttingDown })
}

// instance returns the instance's row. A deleted row has the state "gone".
func (f *fixture) instance(id string) *store.Instance {
	i, ok := store.Instances.Get(f.store.View(), id)
	if !ok {
		return &store.Instance{State: "gone"}
	}
	return i
}

// want checks the instance's state.
func (f *fixture) want(id, state string) {
	f.t.Helper()
	if got := f.instance(id).State; got != state {
		f.t.Fatalf("%s is %s, want %s; machines:\n%s", id, got, state, f.machines.String())
	}
}
