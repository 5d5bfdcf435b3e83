//go:build linux

package images

import (
	"context"
	"fmt"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// Delays between attempts to build the first base image while no instance waits for it.
const (
	minRetryDelay = 5 * time.Second
	maxRetryDelay = 5 * time.Minute
)

// buildBases builds base images, one after another: those that instances wait for and,
// when none does, the first.
func (l *Loop) buildBases(ctx context.Context) error {
	delay := minRetryDelay
	var retry time.Time // of the first base, after a failure
	for ctx.Err() == nil {
		view := l.Store.View()
		base, first := awaitedBase(view), isUnbuilt(view, l.First)
		if base == "" && first && !time.Now().Before(retry) {
			base = l.First
		}
		if base == "" {
			awaitChange(ctx, view, first, retry)
			continue
		}
		err := l.buildBase(ctx, base)
		switch {
		case err == nil:
			delay = minRetryDelay
		case base == l.First:
			retry = time.Now().Add(delay)
			delay = min(2*delay, maxRetryDelay)
		}
	}
	return nil
}

// awaitChange waits until rows change, and with timed no longer than until deadline.
func awaitChange(ctx context.Context, view *store.View, timed bool, deadline time.Time) {
	if timed {
		bounded, cancel := context.WithDeadline(ctx, deadline)
		defer cancel()
		ctx = bounded
	}
	_ = view.Changed(ctx, store.Images, store.Instances) // the caller checks its own context
}

// awaitedBase returns the name of a base image that an instance, or the copy of an image, waits for, or "".
func awaitedBase(r store.Reader) string {
	for _, image := range store.Images.List(r) {
		if awaitsBase(image) {
			return image.Base
		}
	}
	for _, instance := range store.Instances.List(r) {
		if base := baseOf(r, instance); base != "" {
			return base
		}
	}
	return ""
}

// awaitsBase reports whether an image is a copy that waits for its base image.
func awaitsBase(image *store.Image) bool {
	return image.Base != "" && image.State == "pending" && !image.IsBase()
}

// baseOf returns the name of the base image that an instance waits for, or "".
func baseOf(r store.Reader, instance *store.Instance) string {
	if len(instance.Layers) > 0 || instance.Desired != store.Running {
		return ""
	}
	image, ok := store.Images.Get(r, instance.ImageID)
	if !ok {
		return ""
	}
	return image.Base
}

// isUnbuilt reports whether a region has an image of the base without layers.
func isUnbuilt(r store.Reader, base string) bool {
	for _, image := range imagesOf(r, base) {
		if snapshot, ok := store.Snapshots.Get(r, image.SnapshotID); ok && len(snapshot.Layers) == 0 {
			return true
		}
	}
	return false
}

// imagesOf returns the images of a base in all regions.
func imagesOf(r store.Reader, base string) []*store.Image {
	var found []*store.Image
	for _, image := range store.Images.List(r) {
		if base != "" && image.Base == base {
			found = append(found, image)
		}
	}
	return found
}

// buildBase builds a base image unless the plane has it, and completes its images in all
// regions and the instances that wait for it. Their state reasons show the progress. If the
// build fails, the images' state reason shows why, and the instances terminate.
func (l *Loop) buildBase(ctx context.Context, base string) error {
	log := l.Log.With("image", base)
	log.Info("build the base image if it is missing")
	last := ""
	layer, err := l.Layers.EnsureBase(ctx, base, func(stage string, fraction float64) {
		if stage != last {
			log.Info("building a base image", "stage", stage, "percent", int(100*fraction))
			last = stage
		}
		l.setReason(base, fmt.Sprintf("building %s: %s (%.0f %%)", base, stage, 100*fraction))
	})
	if ctx.Err() != nil && err != nil {
		return err // the next run builds it
	}
	if err != nil {
		log.Error("build a base image", "error", err)
		l.update(base, func(tx *store.Tx) {
			setReasons(tx, base, err.Error())
			terminateWaiting(tx, base, err)
			for _, image := range imagesOf(tx, base) {
				if awaitsBase(image) {
					setFailed(tx, image, err)
				}
			}
		})
		return err
	}
	l.update(base, func(tx *store.Tx) {
		for _, image := range imagesOf(tx, base) {
			if image.IsBase() {
				setAvailable(tx, image, []string{layer})
			} else if awaitsBase(image) { // it completes when its time has come
				store.Images.Edit(tx, image.ID, func(row *store.Image) { row.Base, row.StateReason = "", "" })
				store.Snapshots.Edit(tx, image.SnapshotID, func(row *store.Snapshot) { row.Layers = []string{layer} })
			}
		}
		for _, instance := range store.Instances.List(tx) {
			if baseOf(tx, instance) == base {
				store.Instances.Edit(tx, instance.ID, func(row *store.Instance) {
					row.Layers, row.StateReasonCode, row.StateReason = []string{layer}, "", ""
				})
			}
		}
	})
	return nil
}

// setReason records the progress of a build.
func (l *Loop) setReason(base, reason string) {
	l.update(base, func(tx *store.Tx) { setReasons(tx, base, reason) })
}

func (l *Loop) update(base string, change func(*store.Tx)) {
	if err := l.Store.Update(func(tx *store.Tx) error { change(tx); return nil }); err != nil {
		l.Log.Warn("record the state of a base image", "image", base, "error", err)
	}
}

// setReasons sets the state reason of a base's images and of the instances that wait for
// it. On AWS an instance that is pending has the code "pending" too (Amazon EC2 API
// Reference, StateReason).
func setReasons(tx *store.Tx, base, reason string) {
	for _, image := range imagesOf(tx, base) {
		if image.StateReason != reason {
			store.Images.Edit(tx, image.ID, func(row *store.Image) { row.StateReason = reason })
		}
	}
	for _, instance := range store.Instances.List(tx) {
		if baseOf(tx, instance) == base && instance.StateReason != reason {
			store.Instances.Edit(tx, instance.ID, func(row *store.Instance) {
				row.StateReasonCode, row.StateReason = store.Pending, reason
			})
		}
	}
}

// terminateWaiting terminates the instances that wait for a base that cannot be built, with
// the code that EC2 gives instances that it could not launch (Amazon EC2 API Reference,
// StateReason).
func terminateWaiting(tx *store.Tx, base string, cause error) {
	const code = "Server.InternalError"
	for _, instance := range store.Instances.List(tx) {
		if baseOf(tx, instance) == base {
			store.Instances.Edit(tx, instance.ID, func(row *store.Instance) {
				row.Desired, row.State = store.Terminated, store.ShuttingDown
				row.StateReasonCode, row.StateReason, row.TransitionReason = code, code+": "+cause.Error(), code
			})
		}
	}
}
