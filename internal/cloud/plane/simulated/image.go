//go:build linux

package simulated

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"aloft.dev/aloft/internal/cloud/plane/machine"
)

// Layers is an image plane whose layers are only ids. The zero value is ready to use.
type Layers struct {
	Faults

	mu     sync.Mutex
	lastID int
	layers map[string]bool
}

var _ machine.Images = (*Layers)(nil)

// EnsureBase creates the base layer if it does not exist, and returns its id.
func (l *Layers) EnsureBase(
	_ context.Context, name string, progress func(stage string, fraction float64),
) (layer string, err error) {
	progress("simulated", 0.5)
	if err := l.recordCall("EnsureBase", name); err != nil {
		return "", err
	}
	return "base-" + name, l.add("base-" + name)
}

func (l *Layers) add(layer string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.layers == nil {
		l.layers = map[string]bool{}
	}
	l.layers[layer] = true
	return nil
}

// NewLayerID returns an id that no layer has had.
func (l *Layers) NewLayerID() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lastID++
	return fmt.Sprintf("layer-%08d", l.lastID)
}

// Path returns the directory that a layer would have.
func (l *Layers) Path(layer string) string { return "/" + layer }

// NewDir returns an empty path: it creates no directory.
func (l *Layers) NewDir() (dir string, err error) { return "", l.recordCall("NewDir", "") }

// Commit adds the layer.
func (l *Layers) Commit(_ context.Context, _, layer string) error {
	if err := l.recordCall("Commit", layer); err != nil {
		return err
	}
	return l.add(layer)
}

// CommitImport adds the layer of an import.
func (l *Layers) CommitImport(_ context.Context, id, layer string) error {
	if err := l.recordCall("CommitImport", id); err != nil {
		return err
	}
	return l.add(layer)
}

// Remove deletes a layer.
func (l *Layers) Remove(_ context.Context, layer string) error {
	if err := l.recordCall("Remove", layer); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.layers, layer)
	return nil
}

// List returns the ids of all layers, sorted.
func (l *Layers) List() ([]string, error) {
	if err := l.recordCall("List", ""); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]string, 0, len(l.layers))
	for layer := range l.layers {
		out = append(out, layer)
	}
	slices.Sort(out)
	return out, nil
}

// Disposable returns the ids of the layers that are not of base images, sorted.
func (l *Layers) Disposable() ([]string, error) {
	layers, err := l.List()
	return slices.DeleteFunc(layers, func(layer string) bool { return strings.HasPrefix(layer, "base-") }), err
}
