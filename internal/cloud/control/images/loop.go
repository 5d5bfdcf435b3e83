// Package images makes the wanted images: it builds the public base image when
// it is missing, turns machines' disks into layers, and deletes layers that
// nothing stands on any more.
package images

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/store"
)

// Layers is what the loop needs of the image plane.
type Layers interface {
	machine.Images
	EnsureBase(
		ctx context.Context, name string, progress func(stage string, fraction float64),
	) (layer string, err error)
	Remove(ctx context.Context, layer string) error
	List() ([]string, error)
}

// Instances captures disks; the instances loop is one.
type Instances interface {
	Capture(ctx context.Context, id string, images machine.Images, reboot bool) (layers []string, err error)
}

// Machines tells on which layers machines stand.
type Machines interface {
	List() []string
	Status(id string) machine.Status
}

// Pauses between tries of a base image that could not be built.
const (
	firstPause = 5 * time.Second
	longPause  = 5 * time.Minute
)

// Loop drives all images of all regions. Fill the fields, then call Run once.
type Loop struct {
	Store     *store.Store
	Layers    Layers
	Instances Instances
	Machines  Machines
	Log       *slog.Logger

	mu        sync.Mutex
	capturing map[string]bool // image ids under way
}

// Run drives the images until ctx ends. What is interrupted is done again by
// the next Run.
func (l *Loop) Run(ctx context.Context) error {
	l.capturing = map[string]bool{}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return l.bases(ctx) })
	for ctx.Err() == nil {
		view := l.Store.View()
		for _, image := range store.Images.List(view) {
			if image.State == "pending" && !image.Public && l.claim(image.ID) {
				group.Go(func() error { l.capture(ctx, image); return nil })
			}
		}
		l.sweep(ctx)
		// An error here is only that ctx has ended.
		_ = view.Changed(ctx, store.Images, store.Snapshots, store.Instances)
	}
	if err := group.Wait(); ctx.Err() == nil {
		return err
	}
	return nil
}

func (l *Loop) claim(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.capturing[id] {
		return false
	}
	l.capturing[id] = true
	return true
}

func (l *Loop) release(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.capturing, id)
}

// bases makes every public image available, one after the other, in whatever
// region it is offered.
func (l *Loop) bases(ctx context.Context) error {
	pause := firstPause
	for ctx.Err() == nil {
		view := l.Store.View()
		base := ""
		for _, image := range store.Images.List(view) {
			if image.Public && image.State == "pending" {
				base = image.Base
				break
			}
		}
		if base == "" {
			pause = firstPause
			_ = view.Changed(ctx, store.Images)
			continue
		}
		if err := l.base(ctx, base); err != nil && ctx.Err() == nil {
			l.Log.Error("build a base image", "image", base, "error", err)
			timer := time.NewTimer(pause)
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
			}
			pause = min(2*pause, longPause)
		}
	}
	return nil
}

func (l *Loop) base(ctx context.Context, base string) error {
	l.Log.Info("building the base image if it is missing", "image", base)
	layer, err := l.Layers.EnsureBase(ctx, base, func(stage string, fraction float64) {
		l.tell(base, fmt.Sprintf("building %s: %s (%.0f %%)", base, stage, 100*fraction))
	})
	if err != nil {
		l.tell(base, err.Error())
		return err
	}
	return l.Store.Update(func(tx *store.Tx) error {
		for _, image := range store.Images.List(tx) {
			if image.Public && image.Base == base {
				l.complete(tx, image, []string{layer})
			}
		}
		return nil
	})
}

// tell shows in the image's state reason how far its building is.
func (l *Loop) tell(base, reason string) {
	err := l.Store.Update(func(tx *store.Tx) error {
		for _, image := range store.Images.List(tx) {
			if image.Public && image.Base == base && image.StateReason != reason {
				store.Images.Edit(tx, image.ID, func(row *store.Image) { row.StateReason = reason })
			}
		}
		return nil
	})
	if err != nil {
		l.Log.Warn("write down the progress of a base image", "error", err)
	}
}

func (l *Loop) complete(tx *store.Tx, image *store.Image, layers []string) {
	store.Images.Edit(tx, image.ID, func(row *store.Image) { row.State, row.StateReason = "available", "" })
	store.Snapshots.Edit(tx, image.SnapshotID, func(row *store.Snapshot) {
		row.State, row.Progress, row.Layers = "completed", "100%", layers
	})
}

// capture makes the layer of one image.
func (l *Loop) capture(ctx context.Context, image *store.Image) {
	defer l.release(image.ID)
	layers, err := l.Instances.Capture(ctx, image.SourceInstanceID, l.Layers, !image.NoReboot)
	if ctx.Err() != nil && err != nil {
		return // the next Run does it again
	}
	written := l.Store.Update(func(tx *store.Tx) error {
		if err == nil {
			store.Instances.Edit(tx, image.SourceInstanceID, func(row *store.Instance) {
				if !image.NoReboot {
					row.Layers = layers // the machine itself stands on the new layer
				}
			})
			if _, ok := store.Images.Get(tx, image.ID); ok {
				l.complete(tx, image, layers)
			}
			return nil
		}
		store.Images.Edit(tx, image.ID, func(row *store.Image) { row.State, row.StateReason = "failed", err.Error() })
		store.Snapshots.Edit(
			tx, image.SnapshotID, func(row *store.Snapshot) { row.State, row.StateMessage = "error", err.Error() },
		)
		return nil
	})
	if err != nil || written != nil {
		l.Log.Error(
			"make an image", "image", image.ID, "instance", image.SourceInstanceID, "error", err, "store", written,
		)
	}
}
