//go:build linux

package volumes

import (
	"cmp"
	"context"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// States of snapshots (Amazon EC2 API Reference, Snapshot).
const (
	pending   = "pending"
	completed = "completed"
	failed    = "error"
)

// create creates the file of a new volume. A failure is the volume's state: it is not tried again.
func (l *Loop) create(ctx context.Context, v *store.Volume) error {
	err := l.Machines.CheckRoom()
	if err == nil {
		err = l.Files.Create(ctx, v.ID, int(v.SizeGiB), l.contentOf(v.SnapshotID))
	}
	if err != nil && ctx.Err() != nil {
		return err // the next run does it
	}
	recordErr := l.editVolume(v.ID, func(row *store.Volume) {
		switch {
		case err != nil:
			row.State, row.StateReason = store.VolumeError, err.Error()
			return
		case row.InstanceID != "":
			row.State = store.VolumeInUse
		default:
			row.State = store.VolumeAvailable
		}
		row.FileGiB = v.SizeGiB
	})
	if err == nil {
		err = recordErr
	}
	return err
}

// contentOf returns the id of the content of a snapshot, or "" if it has no file.
func (l *Loop) contentOf(snapshot string) string {
	if row, ok := store.Snapshots.Get(l.Store.View(), snapshot); ok && row.InFile {
		return row.ID
	}
	return ""
}

// grow gives a volume's file, and its block device, the size of its row.
func (l *Loop) grow(v *store.Volume) error {
	if err := l.Files.Grow(v.ID, int(v.SizeGiB)); err != nil {
		return err
	}
	if err := l.Machines.ResizeVolume(l.Files.Path(v.ID)); err != nil {
		return err
	}
	return l.editVolume(v.ID, func(row *store.Volume) { row.FileGiB = v.SizeGiB })
}

// sourceOf returns the id of the file whose content is a snapshot's.
func sourceOf(s *store.Snapshot) string { return cmp.Or(s.CopyOf, s.VolumeID) }

// copy copies the file of a snapshot's volume, or of the snapshot that it copies.
func (l *Loop) copy(ctx context.Context, s *store.Snapshot) error {
	err := l.Machines.CheckRoom()
	if err == nil {
		err = l.copyContent(ctx, s)
	}
	if err != nil && ctx.Err() != nil {
		return err // the next run does it
	}
	if wait := time.Until(s.CompletesAt); wait > 0 && err == nil {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	recordErr := l.Store.Batch(func(tx *store.Tx) {
		store.Snapshots.Edit(tx, s.ID, func(row *store.Snapshot) {
			if row.State, row.Progress = completed, "100%"; err != nil {
				row.State, row.StateMessage = failed, err.Error()
			}
		})
	})
	if err == nil {
		err = recordErr
	}
	return err
}

// copyContent copies the content of a snapshot. The machine that has the volume must not write
// meanwhile: if a volume without a machine gets one, the copy begins again.
func (l *Loop) copyContent(ctx context.Context, s *store.Snapshot) error {
	source := sourceOf(s)
	do := func(ctx context.Context) error { return l.Files.Create(ctx, s.ID, int(s.SizeGiB), source) }
	if machine := l.machineOf(source); machine != "" {
		return l.Machines.CopyVolume(ctx, machine, source, do)
	}
	if err := do(ctx); err != nil {
		return err
	}
	machine := l.machineOf(source)
	if machine == "" {
		return nil
	}
	if err := l.Files.Remove(s.ID); err != nil {
		return err
	}
	return l.Machines.CopyVolume(ctx, machine, source, do)
}

// machineOf returns the id of the instance that has a volume, or "".
func (l *Loop) machineOf(volume string) string {
	if row, ok := store.Volumes.Get(l.Store.View(), volume); ok {
		return row.InstanceID
	}
	return ""
}

func (l *Loop) editVolume(id string, change func(*store.Volume)) error {
	return l.Store.Batch(func(tx *store.Tx) { store.Volumes.Edit(tx, id, change) })
}
