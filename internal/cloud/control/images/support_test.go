//go:build linux

package images_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"

	"aloft.dev/aloft/internal/cloud/control/images"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/plane/simulated"
	"aloft.dev/aloft/internal/cloud/store"
)

// fixture is a loop over simulated layers and machines. It captures disks itself, in
// place of the instances loop.
type fixture struct {
	t          *testing.T
	store      *store.Store
	layers     simulated.Layers
	machines   simulated.Machines
	captureErr error
}

func (f *fixture) Capture(ctx context.Context, id string, layers machine.Images, _ bool) ([]string, error) {
	if f.captureErr != nil {
		return nil, f.captureErr
	}
	layer := layers.NewLayerID()
	return []string{"base-debian-12", layer}, layers.Commit(ctx, "", layer)
}

// withLoop runs prepare, then test beside a running loop, in a synctest bubble. There
// are an image of the first base in each of the regions a and b, and an instance i-1.
func withLoop(t *testing.T, prepare, test func(f *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		rows, err := store.Open("")
		if err != nil {
			t.Fatal(err)
		}
		f := &fixture{t: t, store: rows}
		f.update(func(tx *store.Tx) {
			for _, region := range []identity.Region{"a", "b"} {
				store.Images.Put(tx, &store.Image{
					ID:         "ami-" + string(region),
					Region:     region,
					Public:     true,
					Base:       "debian-12",
					State:      "available",
					SnapshotID: "snap-" + string(region),
				})
				store.Snapshots.Put(tx, &store.Snapshot{
					ID: "snap-" + string(region), Region: region, State: "completed",
				})
			}
			store.Instances.Put(tx, &store.Instance{ID: "i-1", Region: "a", State: store.Running})
		})
		prepare(f)
		loop := &images.Loop{
			Store:     rows,
			Layers:    &f.layers,
			Instances: f,
			Machines:  &f.machines,
			First:     "debian-12",
			Log:       slog.New(slog.DiscardHandler),
		}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			if err := loop.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		test(f)
		cancel()
		running.Wait()
		_ = rows.Close()
	})
}

func (f *fixture) update(do func(tx *store.Tx)) {
	f.t.Helper()
	if err := f.store.Update(func(tx *store.Tx) error { do(tx); return nil }); err != nil {
		f.t.Fatal(err)
	}
}

// createImage adds a pending image of i-1, as CreateImage does.
func (f *fixture) createImage(id string, noReboot bool) {
	f.update(func(tx *store.Tx) {
		store.Images.Put(tx, &store.Image{
			ID:               id,
			Region:           "a",
			SourceInstanceID: "i-1",
			NoReboot:         noReboot,
			State:            "pending",
			SnapshotID:       "snap-" + id,
		})
		store.Snapshots.Put(tx, &store.Snapshot{ID: "snap-" + id, Region: "a", State: "pending"})
	})
	synctest.Wait()
}

// launch adds an instance of an image that has no layers yet, as RunInstances does.
func (f *fixture) launch(id, image string) {
	f.update(func(tx *store.Tx) {
		store.Instances.Put(tx, &store.Instance{
			ID: id, Region: "a", ImageID: image, Desired: store.Running, State: store.Pending,
		})
	})
	synctest.Wait()
}

func (f *fixture) instance(id string) *store.Instance {
	instance, _ := store.Instances.Get(f.store.View(), id)
	return instance
}

func (f *fixture) image(id string) (*store.Image, *store.Snapshot) {
	image, _ := store.Images.Get(f.store.View(), id)
	snapshot, _ := store.Snapshots.Get(f.store.View(), image.SnapshotID)
	return image, snapshot
}

func nothing(*fixture) {}
