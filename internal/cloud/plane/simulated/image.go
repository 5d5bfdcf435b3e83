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
	made   int
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
	if err := l.call("EnsureBase", name); err != nil {
		return "", err
	}
	return "base-" + name, l.keep("base-" + name)
}

func (l *Layers) keep(layer string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.layers == nil {
		l.layers = map[string]bool{}
	}
	l.layers[layer] = true
	return nil
}

// NewLayer is an id that no layer has had.
func (l *Layers) NewLayer() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.made++
	return fmt.Sprintf("layer-%08d", l.made)
}

// Path is where a layer would be.
func (l *Layers) Path(layer string) string { return "/" + layer }

// Room is no folder.
func (l *Layers) Room() (dir string, err error) { return "", l.call("Room", "") }

// Freeze keeps the layer.
func (l *Layers) Freeze(_ context.Context, _, layer string) error {
	if err := l.call("Freeze", layer); err != nil {
		return err
	}
	return l.keep(layer)
}

// Remove forgets a layer.
func (l *Layers) Remove(_ context.Context, layer string) error {
	if err := l.call("Remove", layer); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.layers, layer)
	return nil
}

// List returns the layers, sorted.
func (l *Layers) List() ([]string, error) {
	if err := l.call("List", ""); err != nil {
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
