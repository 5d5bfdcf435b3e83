//go:build linux

package images

import (
	"context"
	"fmt"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// pendingImages returns the pending images of users.
func pendingImages(r store.Reader) []*store.Image {
	var pending []*store.Image
	for _, image := range store.Images.List(r) {
		if image.State == "pending" && image.Base == "" {
			pending = append(pending, image)
		}
	}
	return pending
}

// captured reports whether the disk of a pending image was saved, or its content is that of a file,
// which the volumes loop copies.
func captured(r store.Reader, image *store.Image) bool {
	snapshot, ok := store.Snapshots.Get(r, image.SnapshotID)
	return ok && (len(snapshot.Layers) > 0 || snapshot.InFile)
}

// completeImages completes the captured snapshots whose time has come, and their images.
// It returns when the next one is due; zero if none is.
func (l *Loop) completeImages(r store.Reader) (next time.Time) {
	for _, image := range pendingImages(r) {
		root, ok := store.Snapshots.Get(r, image.SnapshotID)
		if !ok || !root.InFile || root.State == "pending" || awaitsVolumes(r, root) {
			continue
		}
		if err := l.complete(root.ID); err != nil {
			l.Log.Error("record an image", "image", image.ID, "error", err)
			return time.Now().Add(minRetryDelay)
		}
	}
	for _, snapshot := range store.Snapshots.List(r) {
		switch {
		case snapshot.State != "pending" || len(snapshot.Layers) == 0 || awaitsVolumes(r, snapshot):
		case time.Now().Before(snapshot.CompletesAt):
			if next.IsZero() || snapshot.CompletesAt.Before(next) {
				next = snapshot.CompletesAt
			}
		default:
			if err := l.complete(snapshot.ID); err != nil {
				l.Log.Error("record a snapshot", "snapshot", snapshot.ID, "error", err)
				return time.Now().Add(minRetryDelay)
			}
		}
	}
	return next
}

// awaitsVolumes reports whether the snapshots of other volumes of the snapshot's image are not there
// yet. The loop looks again when they are.
func awaitsVolumes(r store.Reader, root *store.Snapshot) bool {
	for _, image := range store.Images.InRegion(r, root.Region) {
		if image.SnapshotID != root.ID {
			continue
		}
		for _, volume := range image.Volumes {
			if snapshot, ok := store.Snapshots.Get(r, volume.SnapshotID); ok && snapshot.State == "pending" {
				return true
			}
		}
	}
	return false
}

// volumeFailure returns why one of the image's volumes was not copied, or nil.
func volumeFailure(r store.Reader, image *store.Image) error {
	ids := []string{image.SnapshotID}
	for _, volume := range image.Volumes {
		if volume.SnapshotID != "" { // else it is empty
			ids = append(ids, volume.SnapshotID)
		}
	}
	for _, id := range ids {
		if snapshot, ok := store.Snapshots.Get(r, id); !ok || snapshot.State == "error" {
			return fmt.Errorf("snapshot %s of a volume failed", id)
		}
	}
	return nil
}

// complete completes a captured snapshot and its image, unless somebody deregistered it.
func (l *Loop) complete(snapshotID string) error {
	return l.Store.Update(func(tx *store.Tx) error {
		snapshot, ok := store.Snapshots.Get(tx, snapshotID)
		if !ok {
			return nil
		}
		if snapshot.State == "pending" {
			setCompleted(tx, snapshotID, snapshot.Layers)
		}
		for _, image := range store.Images.InRegion(tx, snapshot.Region) {
			if image.SnapshotID != snapshotID || image.State != "pending" {
				continue
			}
			if err := volumeFailure(tx, image); err != nil {
				setFailed(tx, image, err)
			} else {
				setAvailable(tx, image, snapshot.Layers)
			}
		}
		return nil
	})
}

// until returns a context that ends at a time. A zero time is no time.
func until(ctx context.Context, at time.Time) (context.Context, context.CancelFunc) {
	if at.IsZero() {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, at)
}
