//go:build linux

package images

import (
	"context"
	"fmt"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// Delays between attempts to build a base image.
const (
	minRetryDelay = 5 * time.Second
	maxRetryDelay = 5 * time.Minute
)

// buildBases builds the pending public images of all regions, one after another.
func (l *Loop) buildBases(ctx context.Context) error {
	delay := minRetryDelay
	for ctx.Err() == nil {
		view := l.Store.View()
		base := pendingBase(view)
		if base == "" {
			delay = minRetryDelay
			_ = view.Changed(ctx, store.Images)
			continue
		}
		if err := l.buildBase(ctx, base); err != nil && ctx.Err() == nil {
			l.Log.Error("build a base image", "image", base, "error", err)
			timer := time.NewTimer(delay)
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
			}
			delay = min(2*delay, maxRetryDelay)
		}
	}
	return nil
}

// pendingBase returns the name of a base image that must be built, or "".
func pendingBase(r store.Reader) string {
	for _, image := range store.Images.List(r) {
		if image.Public && image.State == "pending" {
			return image.Base
		}
	}
	return ""
}

// buildBase builds a base image unless the plane has it, and completes its images in
// all regions. The images' state reason shows the progress, then the error if there is
// one.
func (l *Loop) buildBase(ctx context.Context, base string) error {
	l.Log.Info("build the base image if it is missing", "image", base)
	layer, err := l.Layers.EnsureBase(ctx, base, func(stage string, fraction float64) {
		l.setReason(base, fmt.Sprintf("building %s: %s (%.0f %%)", base, stage, 100*fraction))
	})
	if err != nil {
		l.setReason(base, err.Error())
		return err
	}
	return l.Store.Update(func(tx *store.Tx) error {
		for _, image := range store.Images.List(tx) {
			if image.Public && image.Base == base {
				setAvailable(tx, image, []string{layer})
			}
		}
		return nil
	})
}

// setReason sets the state reason of a base's images.
func (l *Loop) setReason(base, reason string) {
	err := l.Store.Update(func(tx *store.Tx) error {
		for _, image := range store.Images.List(tx) {
			if image.Public && image.Base == base && image.StateReason != reason {
				store.Images.Edit(tx, image.ID, func(row *store.Image) { row.StateReason = reason })
			}
		}
		return nil
	})
	if err != nil {
		l.Log.Warn("record the progress of a base image", "error", err)
	}
}
