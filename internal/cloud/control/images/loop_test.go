package images_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/control/images"
	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/plane/simulated"
	"aloft.dev/aloft/internal/cloud/store"
)

// studio is a loop over a store and layers that are names.
type studio struct {
	t        *testing.T
	store    *store.Store
	layers   simulated.Layers
	machines simulated.Machines
	fail     error // of a capture
}

// Capture stands for the instances loop.
func (s *studio) Capture(ctx context.Context, id string, layers machine.Images, _ bool) ([]string, error) {
	if s.fail != nil {
		return nil, s.fail
	}
	layer := layers.NewLayerID()
	return []string{"base-debian-12", layer}, layers.Commit(ctx, "", layer)
}

func inStudio(t *testing.T, prepare, test func(s *studio)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		rows, err := store.Open("")
		if err != nil {
			t.Fatal(err)
		}
		s := &studio{t: t, store: rows}
		s.update(func(tx *store.Tx) {
			for _, region := range []string{"a", "b"} {
				store.Images.Put(tx, &store.Image{
					ID:         "ami-" + region,
					Region:     region,
					Public:     true,
					Base:       "debian-12",
					State:      "pending",
					SnapshotID: "snap-" + region,
				})
				store.Snapshots.Put(tx, &store.Snapshot{ID: "snap-" + region, Region: region, State: "pending"})
			}
			store.Instances.Put(tx, &store.Instance{ID: "i-1", Region: "a", State: store.Running})
		})
		prepare(s)
		loop := &images.Loop{
			Store:     rows,
			Layers:    &s.layers,
			Instances: s,
			Machines:  &s.machines,
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
		test(s)
		cancel()
		running.Wait()
		_ = rows.Close()
	})
}

func (s *studio) update(do func(tx *store.Tx)) {
	s.t.Helper()
	if err := s.store.Update(func(tx *store.Tx) error { do(tx); return nil }); err != nil {
		s.t.Fatal(err)
	}
}

// make asks for an image of i-1, as CreateImage does.
func (s *studio) make(id string, noReboot bool) {
	s.update(func(tx *store.Tx) {
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

func (s *studio) image(id string) (*store.Image, *store.Snapshot) {
	image, _ := store.Images.Get(s.store.View(), id)
	snapshot, _ := store.Snapshots.Get(s.store.View(), image.SnapshotID)
	return image, snapshot
}

func nothing(*studio) {}

func TestABaseImageIsBuiltOnceForAllRegionsAndItsFailureIsTold(t *testing.T) {
	inStudio(
		t,
		func(s *studio) { s.layers.Fail("EnsureBase", errors.New("no space left on device")) },
		func(s *studio) {
			if image, _ := s.image("ami-b"); image.State != "pending" ||
				image.StateReason != "no space left on device" {
				t.Errorf("%+v", image)
			}
			time.Sleep(time.Minute)
			for _, id := range []string{"ami-a", "ami-b"} {
				if image, snapshot := s.image(id); image.State != "available" || image.StateReason != "" ||
					snapshot.State != "completed" ||
					!slices.Equal(snapshot.Layers, []string{"base-debian-12"}) {
					t.Errorf("%+v %+v", image, snapshot)
				}
			}
			if n := s.layers.Calls("EnsureBase"); n != 2 {
				t.Errorf("built %d times", n)
			}
		},
	)
}

func TestAnImageIsTheLayersOfItsInstance(t *testing.T) {
	inStudio(t, nothing, func(s *studio) {
		s.make("ami-1", false)
		image, snapshot := s.image("ami-1")
		if image.State != "available" || snapshot.Progress != "100%" || len(snapshot.Layers) != 2 {
			t.Errorf("%+v %+v", image, snapshot)
		}
		if i, _ := store.Instances.Get(s.store.View(), "i-1"); !slices.Equal(i.Layers, snapshot.Layers) {
			t.Errorf("the instance stands on %v", i.Layers)
		}
	})
}

func TestAFailedImageSaysWhy(t *testing.T) {
	inStudio(t, func(s *studio) { s.fail = errors.New("the disk is full") }, func(s *studio) {
		s.make("ami-1", false)
		image, snapshot := s.image("ami-1")
		if image.State != "failed" || !strings.Contains(image.StateReason, "the disk is full") ||
			snapshot.State != "error" ||
			!strings.Contains(snapshot.StateMessage, "the disk is full") {
			t.Errorf("%+v %+v", image, snapshot)
		}
	})
}

func TestLayersThatNothingStandsOnAreDeletedAndOthersAreKept(t *testing.T) {
	inStudio(t, nothing, func(s *studio) {
		s.make("ami-1", true)
		s.make("ami-2", true)
		s.update(func(tx *store.Tx) {
			store.Images.Delete(tx, "ami-1")
			store.Snapshots.Delete(tx, "snap-ami-1")
		})
		synctest.Wait()
		_, kept := s.image("ami-2")
		layers, _ := s.layers.List()
		if want := kept.Layers; !slices.Equal(layers, want) { // the base is one of them
			t.Errorf("layers %v, want %v", layers, want)
		}
		// A machine that runs needs its layer after its image has gone.
		if _, err := s.machines.Prepare(t.Context(), machine.Machine{
			ID: "i-9", Layers: []string{"/" + kept.Layers[1]},
		}); err != nil {
			t.Fatal(err)
		}
		s.update(func(tx *store.Tx) {
			store.Images.Delete(tx, "ami-2")
			store.Snapshots.Delete(tx, "snap-ami-2")
		})
		synctest.Wait()
		if layers, _ := s.layers.List(); !slices.Contains(layers, kept.Layers[1]) {
			t.Errorf("the layer under a machine was deleted: %v", layers)
		}
	})
}
