//go:build linux

package images_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestFirstBaseImageIsBuiltOnceForAllRegionsAfterFailure(t *testing.T) {
	withLoop(
		t,
		func(f *fixture) { f.layers.Fail("EnsureBase", errors.New("no space left on device")) },
		func(f *fixture) {
			image, snapshot := f.image("ami-b")
			if image.StateReason != "no space left on device" || len(snapshot.Layers) != 0 {
				t.Errorf("after a failure: %+v, %+v", image, snapshot)
			}
			time.Sleep(time.Minute)
			for _, id := range []string{"ami-a", "ami-b"} {
				image, snapshot := f.image(id)
				if image.State != "available" || image.StateReason != "" {
					t.Errorf("image %+v", image)
				}
				if snapshot.State != "completed" || !slices.Equal(snapshot.Layers, []string{"base-debian-12"}) {
					t.Errorf("snapshot %+v", snapshot)
				}
			}
			if n := f.layers.Calls("EnsureBase"); n != 2 {
				t.Errorf("%d calls of EnsureBase, want 2", n)
			}
		},
	)
}

// addBase adds an image of a base that is not the first.
func addBase(f *fixture) {
	f.update(func(tx *store.Tx) {
		store.Images.Put(tx, &store.Image{
			ID: "ami-13", Region: "a", Public: true, Base: "debian-13", State: "available", SnapshotID: "snap-13",
		})
		store.Snapshots.Put(tx, &store.Snapshot{ID: "snap-13", Region: "a", State: "completed"})
	})
}

func TestOtherBaseImagesAreBuiltWhenAnInstanceWaits(t *testing.T) {
	withLoop(t, addBase, func(f *fixture) {
		time.Sleep(time.Hour)
		if n := f.layers.Calls("EnsureBase"); n != 1 {
			t.Errorf("%d calls of EnsureBase before an instance needs another base, want 1", n)
		}
		f.launch("i-13", "ami-13")
		if i := f.instance("i-13"); !slices.Equal(i.Layers, []string{"base-debian-13"}) ||
			i.State != store.Pending || i.StateReason != "" {
			t.Errorf("instance %+v", i)
		}
		if image, snapshot := f.image("ami-13"); image.StateReason != "" || len(snapshot.Layers) != 1 {
			t.Errorf("image %+v, snapshot %+v", image, snapshot)
		}
	})
}

func TestFailedBuildTerminatesTheInstancesThatWait(t *testing.T) {
	withLoop(t, addBase, func(f *fixture) {
		f.layers.Fail("EnsureBase", errors.New("cannot reach the archive"))
		f.launch("i-13", "ami-13")
		i := f.instance("i-13")
		if i.Desired != store.Terminated || i.StateReasonCode != "Server.InternalError" ||
			i.StateReason != "Server.InternalError: cannot reach the archive" {
			t.Errorf("instance %+v", i)
		}
		image, _ := f.image("ami-13")
		if image.State != "available" || image.StateReason != "cannot reach the archive" {
			t.Errorf("image %+v", image)
		}
		f.launch("i-14", "ami-13") // tries again
		if i := f.instance("i-14"); i.State != store.Pending || len(i.Layers) != 1 {
			t.Errorf("the next instance %+v", i)
		}
	})
}

func TestCopyOfABaseImageIsBuilt(t *testing.T) {
	for want, prepare := range map[string]func(*fixture){
		"available": nothing,
		"failed":    func(f *fixture) { f.layers.Fail("EnsureBase", errors.New("cannot reach the archive")) },
	} {
		withLoop(t, addBase, func(f *fixture) {
			prepare(f)
			f.update(func(tx *store.Tx) {
				store.Images.Put(tx, &store.Image{
					ID: "ami-copy", Region: "a", Base: "debian-13", State: "pending", SnapshotID: "snap-copy",
					SourceImageID: "ami-13",
				})
				store.Snapshots.Put(tx, &store.Snapshot{ID: "snap-copy", Region: "a", State: "pending"})
			})
			synctest.Wait()
			image, snapshot := f.image("ami-copy")
			if image.State != want || want == "available" &&
				(image.Base != "" || !slices.Equal(snapshot.Layers, []string{"base-debian-13"})) {
				t.Errorf("image %+v, snapshot %+v", image, snapshot)
			}
		})
	}
}
