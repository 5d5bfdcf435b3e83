//go:build linux

package instances

import (
	"context"
	"fmt"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// awaitsReplacement reports whether the instance is to get another root volume, which it does not have yet.
func awaitsReplacement(r store.Reader, row *store.Instance) bool {
	task, ok := store.ReplacementOf(r, row.ID)
	return ok && row.RootVolumeID == task.OldVolumeID
}

// followReplacements notifies the workers of instances that are to get another root volume.
func (l *Loop) followReplacements(r store.Reader) {
	for _, task := range store.RootReplacements.List(r) {
		if !task.Ended() {
			l.notify(task.InstanceID)
		}
	}
}

// replaceRoot shuts the machine down and deletes it with its disk. The next launch creates it with the
// content of the new root volume, and with the same network interfaces and other volumes.
func (l *Loop) replaceRoot(ctx context.Context, row *store.Instance) error {
	task, ok := store.ReplacementOf(l.Store.View(), row.ID)
	if !ok {
		return nil
	}
	if err := l.Store.Batch(func(tx *store.Tx) {
		store.RootReplacements.Edit(tx, task.ID, func(t *store.RootReplacement) {
			t.State = store.ReplacementInProgress
		})
		store.Instances.Edit(tx, row.ID, func(row *store.Instance) { row.Reachable = false })
	}); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, terminateTimeout)
	defer cancel()
	if err := l.powerOff(bounded, row); err != nil {
		return fmt.Errorf("shut the machine down: %w", err)
	}
	if now, ok := store.Instances.Get(l.Store.View(), row.ID); !ok || now.Desired != store.Running {
		return nil // it keeps its root volume
	}
	if err := l.Machines.Remove(bounded, row.ID); err != nil {
		return fmt.Errorf("delete the machine: %w", err)
	}
	return l.Store.Batch(func(tx *store.Tx) { exchangeRoot(tx, task, time.Now().UTC()) })
}

// exchangeRoot records that an instance has its new root volume.
func exchangeRoot(tx *store.Tx, task *store.RootReplacement, now time.Time) {
	volume := task.Volume
	volume.InstanceID, volume.AttachedAt, volume.State = task.InstanceID, now, store.VolumeInUse
	store.Volumes.Put(tx, &volume)
	if task.DeleteOld {
		store.VolumeModifications.Delete(tx, task.OldVolumeID)
		store.Volumes.Delete(tx, task.OldVolumeID)
	} else {
		store.Volumes.Edit(tx, task.OldVolumeID, (*store.Volume).Detached)
	}
	store.Instances.Edit(tx, task.InstanceID, func(row *store.Instance) {
		row.RootVolumeID, row.Layers = volume.ID, task.Layers
		if task.ImageID != "" {
			row.ImageID, row.Traits = task.ImageID, task.Traits
		}
	})
}

// endReplacement records that the replacement of an instance's root volume has ended, if one is in
// progress: the instance runs, or it does not any more.
func endReplacement(tx *store.Tx, instanceID, state string) {
	if task, ok := store.ReplacementOf(tx, instanceID); ok {
		store.RootReplacements.Edit(tx, task.ID, func(t *store.RootReplacement) {
			t.State, t.Completed = state, time.Now().UTC()
		})
	}
}
