//go:build linux

package instances_test

import (
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/store"
)

// attach adds a volume that is attached to an instance, as RunInstances and AttachVolume do.
func (f *fixture) attach(id, instance string, change func(*store.Volume)) {
	f.t.Helper()
	f.update(func(tx *store.Tx) {
		row := &store.Volume{ID: id, Region: "r", SizeGiB: 1, FileGiB: 1, IOPS: 3000, State: store.VolumeAvailable}
		row.Attach(instance, "/dev/sdf", 1, time.Now())
		if change != nil {
			change(row)
		}
		store.Volumes.Put(tx, row)
	})
}

// wantVolume checks the states of a volume and of its attachment, and whether the machine has it.
func (f *fixture) wantVolume(id, instance, state, attachment string, has bool) {
	f.t.Helper()
	row, _ := store.Volumes.Get(f.store.View(), id)
	if row == nil || row.State != state || row.Attachment != attachment {
		f.t.Fatalf("volume %+v, want %s and %s", row, state, attachment)
	}
	volumes := f.machines.Described(instance).Volumes
	if got := len(volumes) == 1 && volumes[0].ID == id; got != has {
		f.t.Fatalf("the machine has %+v, want it: %v", volumes, has)
	}
}

func (f *fixture) detach(id string, force bool) {
	f.t.Helper()
	f.update(func(tx *store.Tx) {
		store.Volumes.Edit(tx, id, func(row *store.Volume) {
			row.Attachment, row.ForceDetach = store.Detaching, force
		})
	})
}

func TestVolumeIsAttachedAndDetachedWhileItsInstanceRuns(t *testing.T) {
	withLoop(t, func(f *fixture) {
		f.launch("i-1", nil)
		f.attach("vol-1", "i-1", nil)
		f.wantVolume("vol-1", "i-1", store.VolumeInUse, store.Attached, true)
		want := machine.Volume{
			ID: "vol-1", File: "/volumes/vol-1", NVMe: 1, Name: "sdf", Rate: machine.DiskRate{Operations: 3000},
		}
		if got := f.machines.Described("i-1").Volumes[0]; got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		f.stop("i-1")
		f.start("i-1")
		f.wantVolume("vol-1", "i-1", store.VolumeInUse, store.Attached, true)
		f.detach("vol-1", false)
		f.wantVolume("vol-1", "i-1", store.VolumeAvailable, "", false)
	})
}

func TestVolumeInUseIsBusyUntilItIsNot(t *testing.T) {
	withLoop(t, func(f *fixture) {
		f.launch("i-1", nil)
		f.attach("vol-1", "i-1", nil)
		use := func(volume string) {
			if err := f.machines.UseVolume("i-1", volume); err != nil {
				t.Fatal(err)
			}
		}
		use("vol-1")
		f.detach("vol-1", false)
		f.wantVolume("vol-1", "i-1", store.VolumeInUse, store.Busy, true)
		use("")
		time.Sleep(time.Second)
		synctest.Wait()
		f.wantVolume("vol-1", "i-1", store.VolumeAvailable, "", false)

		f.attach("vol-1", "i-1", nil)
		use("vol-1")
		f.detach("vol-1", true)
		f.wantVolume("vol-1", "i-1", store.VolumeAvailable, "", false)
	})
}

func TestVolumeOfAStoppedInstanceIsAttachedAtOnce(t *testing.T) {
	withLoop(t, func(f *fixture) {
		f.launch("i-1", nil)
		f.stop("i-1")
		f.attach("vol-1", "i-1", nil)
		f.wantVolume("vol-1", "i-1", store.VolumeInUse, store.Attached, false)
		f.start("i-1")
		f.wantVolume("vol-1", "i-1", store.VolumeInUse, store.Attached, true)
	})
}

func TestInstanceWaitsForTheFilesOfItsVolumes(t *testing.T) {
	withLoop(t, func(f *fixture) {
		f.attach("vol-1", "i-1", func(row *store.Volume) { row.State, row.FileGiB = store.VolumeCreating, 0 })
		f.launch("i-1", nil)
		f.want("i-1", store.Pending)
		f.update(func(tx *store.Tx) {
			store.Volumes.Edit(tx, "vol-1", func(row *store.Volume) { row.State, row.FileGiB = store.VolumeInUse, 1 })
		})
		f.want("i-1", store.Running)
		f.wantVolume("vol-1", "i-1", store.VolumeInUse, store.Attached, true)
	})
}

func TestInstanceWithAVolumeThatFailedTerminates(t *testing.T) {
	withLoop(t, func(f *fixture) {
		f.attach("vol-1", "i-1", func(row *store.Volume) {
			row.State, row.FileGiB, row.StateReason = store.VolumeError, 0, "the disk is full"
		})
		f.launch("i-1", nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		f.want("i-1", store.Terminated)
	})
}

func TestVolumesAreDeletedOrKeptAtTermination(t *testing.T) {
	withLoop(t, func(f *fixture) {
		f.launch("i-1", nil)
		f.attach("vol-1", "i-1", nil)
		f.attach("vol-2", "i-1", func(row *store.Volume) { row.NVMe, row.DeleteOnTermination = 2, true })
		f.terminate("i-1")
		f.wantVolume("vol-1", "i-1", store.VolumeAvailable, "", false)
		if row, ok := store.Volumes.Get(f.store.View(), "vol-2"); ok {
			t.Errorf("left: %+v", row)
		}
	})
}
