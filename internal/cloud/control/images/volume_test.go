//go:build linux

package images_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"aloft.dev/aloft/internal/cloud/store"
)

// createWithVolume adds a pending image of i-1 with the snapshot of another volume, as CreateImage
// does.
func (f *fixture) createWithVolume(id string) {
	f.update(func(tx *store.Tx) {
		store.Snapshots.Put(tx, &store.Snapshot{ID: "snap-data", Region: "a", InFile: true, State: "pending"})
		store.Snapshots.Put(tx, &store.Snapshot{ID: "snap-" + id, Region: "a", State: "pending"})
		store.Images.Put(tx, &store.Image{
			ID: id, Region: "a", SourceInstanceID: "i-1", State: "pending", SnapshotID: "snap-" + id,
			Volumes: []store.ImageVolume{{Device: "/dev/sdf", SnapshotID: "snap-data"}},
		})
	})
	synctest.Wait()
}

func TestImageWaitsForTheSnapshotsOfItsVolumes(t *testing.T) {
	for end, want := range map[string]string{"completed": "available", "error": "failed"} {
		withLoop(t, nothing, func(f *fixture) {
			f.createWithVolume("ami-1")
			if image, _ := f.image("ami-1"); image.State != "pending" {
				t.Errorf("before the snapshot of its volume, the image is %+v", image)
			}
			f.update(func(tx *store.Tx) {
				store.Snapshots.Edit(tx, "snap-data", func(row *store.Snapshot) { row.State = end })
			})
			synctest.Wait()
			image, snapshot := f.image("ami-1")
			if image.State != want || len(snapshot.Layers) != 2 {
				t.Errorf("a snapshot with the state %s: image %+v, snapshot %+v", end, image, snapshot)
			}
			if want == "failed" && !strings.Contains(image.StateReason, "snap-data") {
				t.Errorf("the image failed because of %q", image.StateReason)
			}
		})
	}
}

func TestImageOfAFileIsCompleteWithItsSnapshots(t *testing.T) {
	for end, want := range map[string]string{"completed": "available", "error": "failed"} {
		withLoop(t, nothing, func(f *fixture) {
			f.update(func(tx *store.Tx) {
				store.Snapshots.Put(tx, &store.Snapshot{ID: "snap-root", Region: "a", InFile: true, State: "pending"})
				store.Images.Put(tx, &store.Image{
					ID: "ami-1", Region: "a", State: "pending", SnapshotID: "snap-root",
					Volumes: []store.ImageVolume{{Device: "/dev/sdf"}, {Device: "/dev/sdb", VirtualName: "ephemeral0"}},
				})
			})
			synctest.Wait()
			if image, _ := f.image("ami-1"); image.State != "pending" {
				t.Errorf("before its snapshot, the image is %+v", image)
			}
			f.update(func(tx *store.Tx) {
				store.Snapshots.Edit(tx, "snap-root", func(row *store.Snapshot) { row.State = end })
			})
			synctest.Wait()
			if image, snapshot := f.image("ami-1"); image.State != want || snapshot.State != end {
				t.Errorf("a snapshot with the state %s: image %+v, snapshot %+v", end, image, snapshot)
			}
		})
	}
}
