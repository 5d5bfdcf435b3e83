//go:build linux

package images

import (
	"context"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// startCapture notes that an image's capture is in progress. It returns false if it
// already was.
func (l *Loop) startCapture(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.capturing[id] {
		return false
	}
	l.capturing[id] = true
	return true
}

func (l *Loop) endCapture(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.capturing, id)
}

// capture saves the disk of an image's source instance as the image.
func (l *Loop) capture(ctx context.Context, image *store.Image) {
	defer l.endCapture(image.ID)
	layers, err := l.Instances.Capture(ctx, image.SourceInstanceID, l.Layers, !image.NoReboot)
	if ctx.Err() != nil && err != nil {
		return // the next run repeats it
	}
	recordErr := l.Store.Update(func(tx *store.Tx) error {
		if err != nil {
			setFailed(tx, image, err)
			return nil
		}
		store.Instances.Edit(tx, image.SourceInstanceID, func(row *store.Instance) {
			if !image.NoReboot {
				row.Layers = layers // a captured machine continues on top of the new layer
			}
		})
		if _, ok := store.Images.Get(tx, image.ID); !ok {
			return nil
		}
		if time.Now().Before(image.AvailableAt) || len(image.Volumes) > 0 { // the loop completes the image then
			store.Snapshots.Edit(tx, image.SnapshotID, func(row *store.Snapshot) { row.Layers = layers })
		} else {
			setAvailable(tx, image, layers)
		}
		return nil
	})
	log := l.Log.With("image", image.ID, "instance", image.SourceInstanceID)
	if err != nil {
		log.Error("create an image", "error", err)
	}
	if recordErr != nil {
		log.Error("record an image", "error", recordErr)
	}
}

func setFailed(tx *store.Tx, image *store.Image, cause error) {
	store.Images.Edit(tx, image.ID, func(row *store.Image) {
		row.State, row.StateReason = "failed", cause.Error()
	})
	store.Snapshots.Edit(tx, image.SnapshotID, func(row *store.Snapshot) {
		row.State, row.StateMessage = "error", cause.Error()
	})
}
