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
		if image.State == "pending" && !image.Public {
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

// completeImages makes the captured images available whose time has come. It returns
// when the next one is due; zero if none is.
func (l *Loop) completeImages(r store.Reader) (next time.Time) {
	for _, image := range pendingImages(r) {
		switch {
		case !captured(r, image):
		case time.Now().Before(image.AvailableAt):
			if next.IsZero() || image.AvailableAt.Before(next) {
				next = image.AvailableAt
			}
		default:
			if err := l.complete(image); err != nil {
				l.Log.Error("record an image", "image", image.ID, "error", err)
				return time.Now().Add(minRetryDelay)
			}
		}
	}
	return next
}

func (l *Loop) complete(image *store.Image) error {
	return l.Store.Update(func(tx *store.Tx) error {
		if snapshot, ok := store.Snapshots.Get(tx, image.SnapshotID); ok {
			setAvailable(tx, image, snapshot.Layers)
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
