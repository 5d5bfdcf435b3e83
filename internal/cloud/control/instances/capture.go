//go:build linux

package instances

import (
	"context"
	"fmt"
	"path/filepath"

	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/store"
)

// hold returns the instance's worker for a capture, until letGo.
func (l *Loop) hold(id string) *worker {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.workerOf(id)
	w.captures++
	return w
}

func (l *Loop) letGo(w *worker) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w.captures--
	l.forget(w)
}

// Capture saves the current state of the instance's disk as a layer and returns all
// layers of the disk, the new one last. With reboot it stops a running machine first
// and starts it again. No step uses the machine meanwhile.
func (l *Loop) Capture(ctx context.Context, id string, images machine.Images, reboot bool) ([]string, error) {
	l.init()
	w := l.hold(id)
	defer l.letGo(w)
	if err := w.acquire(ctx); err != nil {
		return nil, err
	}
	defer w.release()
	if row, ok := store.Instances.Get(l.Store.View(), id); !ok || row.State == store.Terminated {
		return nil, fmt.Errorf("instance %s was terminated", id)
	}
	// Read the layers from the machine, not from the row: an earlier capture may have
	// added its layer to the machine and failed before it reached the row.
	var layers []string
	for _, folder := range l.Machines.Status(id).Layers {
		layers = append(layers, filepath.Base(folder))
	}
	layer, err := l.Machines.Capture(ctx, id, images, reboot)
	if err != nil {
		return nil, fmt.Errorf("capture the disk of %s: %w", id, err)
	}
	return append(layers, layer), nil
}
