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

// fill makes a tree of files in a new room.
func fill(t *testing.T, s *Store) string {
	t.Helper()
	room, err := s.NewDir()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(room, "file"), make([]byte, 8192), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(filepath.Join(room, "file"), filepath.Join(room, "link")); err != nil {
		t.Fatal(err)
	}
	return room
}

func TestLayerIsFrozenOnceMeasuredAndRemoved(t *testing.T) {
	s := openStore(t)
	room, layer := fill(t, s), s.NewLayerID()
	if err := s.Commit(t.Context(), room, layer); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(room); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the room is still there: %v", err)
	}
	if layers, err := s.List(); err != nil || !slices.Equal(layers, []string{layer}) || !s.Has(layer) {
		t.Errorf("layers %v, %v", layers, err)
	}
	if err := s.Commit(t.Context(), fill(t, s), layer); err == nil {
		t.Error("a layer was replaced")
	}
	if size, err := s.Size(t.Context(), layer); err != nil || size < 8192 || size > 3*8192 {
		t.Errorf("a file with two names takes %d bytes, %v", size, err)
	}
	for range 2 { // the second time there is nothing
		if err := s.Remove(t.Context(), layer); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Size(t.Context(), layer); !errors.Is(err, ErrNoLayer) {
		t.Errorf("size of a removed layer: %v", err)
	}
}

func TestNoIdLeadsOutOfTheStore(t *testing.T) {
	s := openStore(t)
	if s.Has("..") || s.Has("") {
		t.Error("a folder outside is a layer")
	}
	if err := s.Remove(t.Context(), "../.."); !errors.Is(err, ErrNoLayer) {
		t.Errorf("remove a folder outside: %v", err)
	}
	if err := s.Commit(t.Context(), fill(t, s), "../outside"); err == nil {
		t.Error("a layer was put outside")
	}
}

func TestCleanEndsWhatAnInterruptionLeft(t *testing.T) {
	s := openStore(t)
	layer := s.NewLayerID()
	if err := s.Commit(t.Context(), fill(t, s), layer); err != nil {
		t.Fatal(err)
	}
	fill(t, s) // never frozen
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Remove(interrupted, layer); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted removal: %v", err)
	}
	if s.Has(layer) {
		t.Error("a layer half removed is still offered")
	}
	if err := s.Clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{s.newDirs(), s.trash()} {
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
			t.Errorf("%s still has %v, %v", dir, entries, err)
		}
	}
}
