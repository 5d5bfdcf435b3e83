//go:build linux

package volumes_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/control/volumes"
	"aloft.dev/aloft/internal/cloud/plane/simulated"
	"aloft.dev/aloft/internal/cloud/store"
)

type fixture struct {
	t        *testing.T
	store    *store.Store
	files    simulated.Volumes
	machines simulated.Machines
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
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			loop := &volumes.Loop{
				Store: s, Files: &f.files, Machines: &f.machines, Log: slog.New(slog.DiscardHandler),
			}
			if err := loop.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		defer func() { cancel(); running.Wait(); _ = s.Close() }()
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

// create adds a volume, as CreateVolume does.
func (f *fixture) create(id, snapshot string) {
	f.t.Helper()
	f.update(func(tx *store.Tx) {
		store.Volumes.Put(tx, &store.Volume{
			ID: id, Region: "r", SizeGiB: 2, SnapshotID: snapshot, State: store.VolumeCreating,
		})
	})
}

func (f *fixture) volume(id string) *store.Volume {
	row, _ := store.Volumes.Get(f.store.View(), id)
	return row
}

func (f *fixture) wantFiles(want string) {
	f.t.Helper()
	if got := f.files.String(); got != want {
		f.t.Errorf("files:\n%swant:\n%s", got, want)
	}
}

func TestFilesFollowVolumesAndSnapshots(t *testing.T) {
	withLoop(t, func(f *fixture) {
		f.create("vol-1", "")
		if v := f.volume("vol-1"); v.State != store.VolumeAvailable || v.FileGiB != 2 {
			t.Errorf("created: %+v", v)
		}
		f.update(func(tx *store.Tx) {
			store.Volumes.Edit(tx, "vol-1", func(row *store.Volume) { row.SizeGiB = 3 })
		})
		if v := f.volume("vol-1"); v.FileGiB != 3 {
			t.Errorf("grown: %+v", v)
		}
		f.update(func(tx *store.Tx) {
			store.Snapshots.Put(tx, &store.Snapshot{
				ID: "snap-1", Region: "r", VolumeID: "vol-1", SizeGiB: 3, InFile: true, State: "pending",
				CompletesAt: time.Now().Add(time.Minute),
			})
		})
		if s, _ := store.Snapshots.Get(f.store.View(), "snap-1"); s.State != "pending" {
			t.Errorf("a snapshot before its time: %+v", s)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if s, _ := store.Snapshots.Get(f.store.View(), "snap-1"); s.State != "completed" || s.Progress != "100%" {
			t.Errorf("snapshot %+v", s)
		}
		f.create("vol-2", "snap-1")
		f.wantFiles("3 GiB\n3 GiB\n2 GiB\n")
		f.update(func(tx *store.Tx) {
			store.Volumes.Delete(tx, "vol-1")
			store.Snapshots.Delete(tx, "snap-1")
		})
		f.wantFiles("2 GiB\n")
	})
}

func TestVolumeThatCannotBeCreatedHasTheStateError(t *testing.T) {
	withLoop(t, func(f *fixture) {
		f.machines.Fill(true)
		f.create("vol-1", "")
		if v := f.volume("vol-1"); v.State != store.VolumeError || v.StateReason == "" {
			t.Errorf("%+v", v)
		}
		f.machines.Fill(false)
		f.files.Fail("Create vol-2", errors.New("input/output error"))
		f.create("vol-2", "")
		if v := f.volume("vol-2"); v.State != store.VolumeError || v.StateReason != "input/output error" {
			t.Errorf("%+v", v)
		}
	})
}

func TestFileIsDeletedAfterAFailure(t *testing.T) {
	withLoop(t, func(f *fixture) {
		f.create("vol-1", "")
		f.files.Fail("Remove", errors.New("busy"))
		f.update(func(tx *store.Tx) { store.Volumes.Delete(tx, "vol-1") })
		f.wantFiles("2 GiB\n")
		time.Sleep(10 * time.Second)
		synctest.Wait()
		f.wantFiles("")
	})
}

func TestCopiedSnapshotHasItsSourcesContent(t *testing.T) {
	withLoop(t, func(f *fixture) {
		f.create("vol-1", "")
		f.update(func(tx *store.Tx) {
			store.Snapshots.Put(tx, &store.Snapshot{
				ID: "snap-1", Region: "r", VolumeID: "vol-1", SizeGiB: 2, InFile: true, State: "pending",
			})
		})
		f.update(func(tx *store.Tx) {
			store.Volumes.Delete(tx, "vol-1")
			store.Snapshots.Put(tx, &store.Snapshot{
				ID: "snap-2", Region: "r", VolumeID: "vol-ffffffff", CopyOf: "snap-1", SizeGiB: 2, InFile: true,
				State: "pending",
			})
			store.Snapshots.Delete(tx, "snap-1")
		})
		if s, _ := store.Snapshots.Get(f.store.View(), "snap-2"); s.State != "completed" {
			t.Errorf("snapshot %+v", s)
		}
		f.wantFiles("2 GiB\n")
	})
}

func TestSnapshotOfADeletedVolumeIsComplete(t *testing.T) {
	withLoop(t, func(f *fixture) {
		f.create("vol-1", "")
		f.update(func(tx *store.Tx) {
			store.Snapshots.Put(tx, &store.Snapshot{
				ID: "snap-1", Region: "r", VolumeID: "vol-1", SizeGiB: 2, InFile: true, State: "pending",
			})
			store.Volumes.Delete(tx, "vol-1")
		})
		if s, _ := store.Snapshots.Get(f.store.View(), "snap-1"); s.State != "completed" {
			t.Errorf("snapshot %+v", s)
		}
		f.wantFiles("2 GiB\n")
	})
}
