package instances

import (
	"context"
	"fmt"
	"path/filepath"

	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/store"
)

// Capture makes the instance's disk, as it is now, a layer. Nothing else acts on
// its machine meanwhile. It returns all layers of the disk, the new one last.
// With reboot a running machine is stopped for it and started again.
func (l *Loop) Capture(ctx context.Context, id string, images machine.Images, reboot bool) ([]string, error) {
	l.init()
	w := l.worker(id)
	if err := w.take(ctx); err != nil {
		return nil, err
	}
	defer w.give()
	if row, ok := store.Instances.Get(l.Store.View(), id); !ok || row.State == store.Terminated {
		return nil, fmt.Errorf("instance %s was terminated", id)
	}
	// What the machine stands on, and not what the row says: a capture before this
	// one may have left its layer under the machine and come to no end.
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
