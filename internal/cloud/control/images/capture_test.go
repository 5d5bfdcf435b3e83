//go:build linux

package images_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestImageHasLayersOfItsInstance(t *testing.T) {
	withLoop(t, nothing, func(f *fixture) {
		f.createImage("ami-1", false)
		image, snapshot := f.image("ami-1")
		if image.State != "available" || snapshot.Progress != "100%" || len(snapshot.Layers) != 2 {
			t.Errorf("image %+v, snapshot %+v", image, snapshot)
		}
		if i, _ := store.Instances.Get(f.store.View(), "i-1"); !slices.Equal(i.Layers, snapshot.Layers) {
			t.Errorf("the instance has layers %v", i.Layers)
		}
	})
}

func TestFailedImageHasReason(t *testing.T) {
	withLoop(t, func(f *fixture) { f.captureErr = errors.New("the disk is full") }, func(f *fixture) {
		f.createImage("ami-1", false)
		image, snapshot := f.image("ami-1")
		if image.State != "failed" || !strings.Contains(image.StateReason, "the disk is full") ||
			snapshot.State != "error" ||
			!strings.Contains(snapshot.StateMessage, "the disk is full") {
			t.Errorf("image %+v, snapshot %+v", image, snapshot)
		}
	})
}
