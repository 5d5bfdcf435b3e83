//go:build linux

package images_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestImageHasLayersOfItsInstance(t *testing.T) {
	withLoop(t, nothing, func(f *fixture) {
		f.createImage("ami-1", false)
		image, snapshot := f.image("ami-1")
		if image.State != "available" || snapshot.Progress != "100%" || len(snapshot.Layers) != 2 {
			t.Errorf("image %+v, snapshot %+v", image, snapshot)
		}
		if i, _ := store.Instances.Get(f.store.View(), "i-1"); !slices.Equal(i.Layers, snapshot.Layers) {
			t.Errorf("the instance has layers %v", i.Layers)
		}
	})
}

func TestFailedImageHasReason(t *testing.T) {
	withLoop(t, func(f *fixture) { f.captureErr = errors.New("the disk is full") }, func(f *fixture) {
		f.createImage("ami-1", false)
		image, snapshot := f.image("ami-1")
		if image.State != "failed" || !strings.Contains(image.StateReason, "the disk is full") ||
			snapshot.State != "error" ||
			!strings.Contains(snapshot.StateMessage, "the disk is full") {
			t.Errorf("image %+v, snapshot %+v", image, snapshot)
		}
	})
}

func TestSnapshotCompletesAfterItsImageWasDeregistered(t *testing.T) {
	withLoop(t, nothing, func(f *fixture) {
		ready := time.Now().Add(3 * time.Minute)
		f.update(func(tx *store.Tx) {
			store.Images.Put(tx, &store.Image{
				ID: "ami-1", Region: "a", SourceInstanceID: "i-1", State: "pending", SnapshotID: "snap-1",
				AvailableAt: ready,
			})
			store.Snapshots.Put(tx, &store.Snapshot{ID: "snap-1", Region: "a", State: "pending", CompletesAt: ready})
		})
		synctest.Wait()
		f.update(func(tx *store.Tx) { store.Images.Delete(tx, "ami-1") })
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if s, _ := store.Snapshots.Get(f.store.View(), "snap-1"); s.State != "completed" || len(s.Layers) != 2 {
			t.Errorf("snapshot %+v", s)
		}
	})
}
