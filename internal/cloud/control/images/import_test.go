//go:build linux

package images_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"

	"aloft.dev/aloft/internal/cloud/control/images"
	"aloft.dev/aloft/internal/cloud/store"
)

// importer returns a loop over the same rows and layers as that of the fixture.
func (f *fixture) importer() *images.Loop {
	return &images.Loop{
		Store: f.store, Layers: &f.layers, Instances: f, Machines: &f.machines, Log: slog.New(slog.DiscardHandler),
	}
}

func TestImportedLayerStaysWhileARowHasIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rows, err := store.Open("")
		if err != nil {
			t.Fatal(err)
		}
		f := &fixture{t: t, store: rows}
		loop := f.importer()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- loop.Run(ctx) }()
		synctest.Wait()

		var kept string
		if err := loop.Import(ctx, "import-1", func(layer string) error {
			// Rows change before the layer is in one of them.
			f.update(func(tx *store.Tx) { store.Images.Put(tx, &store.Image{ID: "ami-x", State: "available"}) })
			f.update(func(tx *store.Tx) {
				store.Snapshots.Put(tx, &store.Snapshot{ID: "snap-1", State: "completed", Layers: []string{layer}})
			})
			kept = layer
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		refused := errors.New("refused")
		if err := loop.Import(ctx, "import-2", func(string) error { return refused }); !errors.Is(err, refused) {
			t.Errorf("error %v, want that of record", err)
		}
		f.update(func(tx *store.Tx) { store.Images.Put(tx, &store.Image{ID: "ami-y", State: "available"}) })
		synctest.Wait()
		if layers, _ := f.layers.List(); !slices.Equal(layers, []string{kept}) {
			t.Errorf("layers %v, want %s", layers, kept)
		}
		f.update(func(tx *store.Tx) { store.Snapshots.Delete(tx, "snap-1") })
		synctest.Wait()
		if layers, _ := f.layers.List(); len(layers) > 0 {
			t.Errorf("layers %v are left of a deleted snapshot", layers)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		_ = rows.Close()
	})
}
