//go:build linux

package images_test

import (
	"slices"
	"testing"
	"testing/synctest"

	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestUnusedLayersAreDeleted(t *testing.T) {
	withLoop(t, nothing, func(f *fixture) {
		f.createImage("ami-1", true)
		f.createImage("ami-2", true)
		f.update(func(tx *store.Tx) {
			store.Images.Delete(tx, "ami-1")
			store.Snapshots.Delete(tx, "snap-ami-1")
		})
		synctest.Wait()
		_, kept := f.image("ami-2")
		layers, _ := f.layers.List()
		if want := kept.Layers; !slices.Equal(layers, want) { // including the base
			t.Errorf("layers %v, want %v", layers, want)
		}
		// A machine needs its layers even after the image is deleted.
		m := machine.Machine{ID: "i-9", Layers: []string{"/" + kept.Layers[1]}}
		if _, err := f.machines.Prepare(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		f.update(func(tx *store.Tx) {
			store.Images.Delete(tx, "ami-2")
			store.Snapshots.Delete(tx, "snap-ami-2")
		})
		synctest.Wait()
		if layers, _ := f.layers.List(); !slices.Contains(layers, kept.Layers[1]) {
			t.Errorf("a machine's layer was deleted; left: %v", layers)
		}
	})
}
