package simulated

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"aloft.dev/aloft/internal/cloud/plane/machine"
)

// Layers is an image plane whose layers are names. Its zero value is ready.
type Layers struct {
	Faults

	mu     sync.Mutex
	lastID int
	layers map[string]bool
}

var _ machine.Images = (*Layers)(nil)

// EnsureBase makes the base layer if there is none.
func (l *Layers) EnsureBase(
	_ context.Context,
	name string,
	progress func(stage string, fraction float64),
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

// NewLayerID is an id that no layer has had.
func (l *Layers) NewLayerID() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lastID++
	return fmt.Sprintf("layer-%08d", l.lastID)
}

// Path is where a layer would be.
func (l *Layers) Path(layer string) string { return "/" + layer }

// NewDir is no folder.
func (l *Layers) NewDir() (dir string, err error) { return "", l.recordCall("Room", "") }

// Commit keeps the layer.
func (l *Layers) Commit(_ context.Context, _, layer string) error {
	if err := l.recordCall("Freeze", layer); err != nil {
		return err
	}
	return l.add(layer)
}

// Remove forgets a layer.
func (l *Layers) Remove(_ context.Context, layer string) error {
	if err := l.recordCall("Remove", layer); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.layers, layer)
	return nil
}

// List returns the layers, sorted.
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
