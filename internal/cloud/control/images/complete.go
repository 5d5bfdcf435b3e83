//go:build linux

package images

import (
	"context"
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

// captured reports whether the disk of a pending image was saved.
func captured(r store.Reader, image *store.Image) bool {
	snapshot, ok := store.Snapshots.Get(r, image.SnapshotID)
	return ok && len(snapshot.Layers) > 0
}

// completeImages completes the captured snapshots whose time has come, and their images.
// It returns when the next one is due; zero if none is.
func (l *Loop) completeImages(r store.Reader) (next time.Time) {
	for _, snapshot := range store.Snapshots.List(r) {
		switch {
		case snapshot.State != "pending" || len(snapshot.Layers) == 0:
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

// complete completes a captured snapshot and its image, unless somebody deregistered it.
func (l *Loop) complete(snapshotID string) error {
	return l.Store.Update(func(tx *store.Tx) error {
		snapshot, ok := store.Snapshots.Get(tx, snapshotID)
		if !ok {
			return nil
		}
		setCompleted(tx, snapshotID, snapshot.Layers)
		for _, image := range store.Images.InRegion(tx, snapshot.Region) {
			if image.SnapshotID == snapshotID {
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
