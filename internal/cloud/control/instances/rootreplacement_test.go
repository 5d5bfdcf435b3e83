//go:build linux

package instances_test

import (
	"slices"
	"testing"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestMachineRestartsWithItsNewRootVolume(t *testing.T) {
	for _, deleteOld := range []bool{false, true} {
		withLoop(t, func(f *fixture) {
			f.launch("i-1", func(row *store.Instance) { row.RootVolumeID = "vol-old" })
			f.update(func(tx *store.Tx) {
				store.Volumes.Put(tx, &store.Volume{ID: "vol-old", InstanceID: "i-1", State: "in-use"})
			})
			before := f.instance("i-1")
			f.update(func(tx *store.Tx) {
				store.RootReplacements.Put(tx, &store.RootReplacement{
					ID: "replacevol-1", InstanceID: "i-1", ImageID: "ami-2", OldVolumeID: "vol-old",
					DeleteOld: deleteOld, Volume: store.Volume{ID: "vol-new"}, Layers: []string{"base", "new"},
				})
			})
			row := f.instance("i-1")
			if row.State != store.Running || !row.Reachable || row.RootVolumeID != "vol-new" ||
				row.ImageID != "ami-2" ||
				!slices.Equal(row.InterfaceIDs, before.InterfaceIDs) || row.LaunchTime != before.LaunchTime {
				t.Errorf("instance %+v", row)
			}
			status := f.machines.Status("i-1")
			if !slices.Equal(status.Layers, []string{"/base", "/new"}) || status.Boots != 1 {
				t.Errorf("machine %+v, want a new one", status)
			}
			view := f.store.View()
			volume, _ := store.Volumes.Get(view, "vol-new")
			old, kept := store.Volumes.Get(view, "vol-old")
			if volume.InstanceID != "i-1" || volume.State != "in-use" || kept == deleteOld ||
				kept && (old.InstanceID != "" || old.State != "available") {
				t.Errorf("volumes %+v and %+v", volume, old)
			}
			if task, _ := store.RootReplacements.Get(view, "replacevol-1"); task.State != "succeeded" || !task.Ended() {
				t.Errorf("task %+v", task)
			}
		})
	}
}

func TestReplacementFailsWithAnInstanceThatDoesNotRun(t *testing.T) {
	withLoop(t, func(f *fixture) {
		f.launch("i-1", func(row *store.Instance) { row.RootVolumeID = "vol-old" })
		f.update(func(tx *store.Tx) {
			store.RootReplacements.Put(tx, &store.RootReplacement{
				ID: "replacevol-1", InstanceID: "i-1", OldVolumeID: "vol-old", Layers: []string{"base"},
			})
			store.Instances.Edit(tx, "i-1", func(row *store.Instance) { row.Desired = store.Stopped })
		})
		task, _ := store.RootReplacements.Get(f.store.View(), "replacevol-1")
		if row := f.instance("i-1"); task.State != "failed" || row.RootVolumeID != "vol-old" {
			t.Errorf("task %+v, root volume %s", task, row.RootVolumeID)
		}
	})
}
