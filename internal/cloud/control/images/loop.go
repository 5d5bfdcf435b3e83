//go:build linux

// Package images creates machine images (AMIs). A loop builds public base images when
// instances need them, captures instances' disks as layers, and deletes layers that nothing
// uses.
package images

import (
	"context"
	"log/slog"
	"sync"

	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/store"
)

// Layers is the part of the image plane that the loop uses.
type Layers interface {
	machine.Images
	EnsureBase(
		ctx context.Context, name string, progress func(stage string, fraction float64),
	) (layer string, err error)
	CommitImport(ctx context.Context, id, layer string) error
	Remove(ctx context.Context, layer string) error
	Disposable() ([]string, error)
}

// Instances captures instances' disks, as the loop of package instances does.
type Instances interface {
	Capture(ctx context.Context, id string, images machine.Images, reboot bool) (layers []string, err error)
}

// Machines lists the machines with the layers that they use.
type Machines interface {
	List() []string
	Status(id string) machine.Status
}

// Loop drives all images of all regions. Fill the fields, then call Run once.
type Loop struct {
	Store     *store.Store
	Layers    Layers
	Instances Instances
	Machines  Machines
	Log       *slog.Logger
	Manners   *manners.Set // nil: a kind cloud

	// First is the name of the base image that is built before an instance needs it. It may
	// be empty.
	First string

	// unrecorded is held while there may be a layer that no row contains yet.
	unrecorded sync.Mutex

	mu        sync.Mutex
	capturing map[string]bool // ids of images whose capture is in progress
}

// Run drives the images until ctx ends. The next run repeats what this one did not
// finish.
func (l *Loop) Run(ctx context.Context) error {
	l.capturing = map[string]bool{}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return l.buildBases(ctx) })
	for ctx.Err() == nil {
		view := l.Store.View()
		for _, image := range pendingImages(view) {
			if !captured(view, image) && l.startCapture(image.ID) {
				group.Go(func() error { l.capture(ctx, image); return nil })
			}
		}
		next := l.completeImages(view)
		l.deleteUnusedLayers(ctx)
		wait, cancel := until(ctx, next)
		// Changed fails only because wait ended.
		_ = view.Changed(wait, store.Images, store.Snapshots, store.Instances)
		cancel()
	}
	if err := group.Wait(); ctx.Err() == nil {
		return err
	}
	return nil
}

// setAvailable completes an image and its snapshot. Older versions had base images that were
// pending until they were built.
func setAvailable(tx *store.Tx, image *store.Image, layers []string) {
	store.Images.Edit(tx, image.ID, func(row *store.Image) { row.State, row.StateReason = "available", "" })
	setCompleted(tx, image.SnapshotID, layers)
}

func setCompleted(tx *store.Tx, id string, layers []string) {
	store.Snapshots.Edit(tx, id, func(row *store.Snapshot) {
		row.State, row.Progress, row.Layers = "completed", "100%", layers
	})
}
