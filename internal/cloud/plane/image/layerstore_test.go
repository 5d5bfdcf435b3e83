//go:build linux

package image

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func openStore(t *testing.T) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "images"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// newTree creates a directory with two links to one file of 8192 bytes.
func newTree(t *testing.T, s *Store) string {
	t.Helper()
	dir, err := s.NewDir()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), make([]byte, 8192), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(filepath.Join(dir, "file"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestLayerIsCommittedOnceMeasuredAndRemoved(t *testing.T) {
	s := openStore(t)
	dir, layer := newTree(t, s), s.NewLayerID()
	if err := s.Commit(t.Context(), dir, layer); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the committed directory still exists: %v", err)
	}
	if layers, err := s.List(); err != nil || !slices.Equal(layers, []string{layer}) || !s.Has(layer) {
		t.Errorf("layers %v, %v", layers, err)
	}
	if err := s.Commit(t.Context(), newTree(t, s), layer); err == nil {
		t.Error("a second commit replaced the layer")
	}
	if size, err := s.Size(t.Context(), layer); err != nil || size < 8192 || size > 3*8192 {
		t.Errorf("the size of a file with two links is %d bytes, %v", size, err)
	}
	for range 2 { // the second time the layer does not exist
		if err := s.Remove(t.Context(), layer); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Size(t.Context(), layer); !errors.Is(err, ErrNoLayer) {
		t.Errorf("size of a removed layer: %v", err)
	}
}

func TestLayerIDsCannotLeaveTheStore(t *testing.T) {
	s := openStore(t)
	if s.Has("..") || s.Has("") {
		t.Error("a directory outside the store was taken for a layer")
	}
	if err := s.Remove(t.Context(), "../.."); !errors.Is(err, ErrNoLayer) {
		t.Errorf("remove a directory outside the store: %v", err)
	}
	if err := s.Commit(t.Context(), newTree(t, s), "../outside"); err == nil {
		t.Error("a layer was created outside the store")
	}
}

func TestCleanDeletesWhatAnInterruptionLeft(t *testing.T) {
	s := openStore(t)
	layer := s.NewLayerID()
	if err := s.Commit(t.Context(), newTree(t, s), layer); err != nil {
		t.Fatal(err)
	}
	newTree(t, s) // never committed
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Remove(interrupted, layer); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted removal: %v", err)
	}
	if s.Has(layer) {
		t.Error("a half-removed layer still exists")
	}
	if err := s.Clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{s.uncommitted(), s.trash()} {
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
			t.Errorf("%s still has %v, %v", dir, entries, err)
		}
	}
}

func TestDisposableLayers(t *testing.T) {
	s := openStore(t)
	present := func(name string) string {
		b, err := baseNamed(name)
		if err != nil {
			t.Fatal(err)
		}
		b.distribution = b.with(s.Mirrors)
		layer, err := s.baseLayer(b)
		if err != nil {
			t.Fatal(err)
		}
		return layer
	}
	// Of Debian 13 there is no layer of the present recipe, and a build may fail.
	layers := []string{present(Debian12), "debian-12-0123456789", "debian-13-0123456789", "layer-1", "layer-2"}
	for _, layer := range layers {
		if err := s.Commit(t.Context(), newTree(t, s), layer); err != nil {
			t.Fatal(err)
		}
	}
	disposable, err := s.Disposable()
	if want := []string{"debian-12-0123456789", "layer-1", "layer-2"}; err != nil || !slices.Equal(disposable, want) {
		t.Errorf("disposable are %v (%v), want %v", disposable, err, want)
	}
	if err := s.RemoveCaptured(t.Context()); err != nil {
		t.Fatal(err)
	}
	left, err := s.List()
	want := layers[:3]
	slices.Sort(want)
	if err != nil || !slices.Equal(left, want) {
		t.Errorf("%v are left (%v), want %v", left, err, want)
	}
}
