package images

import (
	"context"
	"strings"

	"aloft.dev/aloft/internal/cloud/store"
)

// sweep deletes the captured layers that no snapshot, instance or machine needs.
// Base layers stay: they are a cache. While an image is being made nothing is
// deleted, for its layer is not written down yet.
func (l *Loop) sweep(ctx context.Context) {
	l.mu.Lock()
	busy := len(l.capturing) > 0
	l.mu.Unlock()
	if busy {
		return
	}
	present, err := l.Layers.List()
	if err != nil {
		l.Log.Warn("list the layers", "error", err)
		return
	}
	needed := l.needed(l.Store.View()) // newer than the last capture's end
	for _, layer := range present {
		if needed[layer] || !strings.HasPrefix(layer, "layer-") {
			continue
		}
		if err := l.Layers.Remove(ctx, layer); err != nil && ctx.Err() == nil {
			l.Log.Warn("delete a layer", "layer", layer, "error", err)
		}
	}
}

func (l *Loop) needed(view store.Reader) map[string]bool {
	needed := map[string]bool{}
	for _, snapshot := range store.Snapshots.List(view) {
		for _, layer := range snapshot.Layers {
			needed[layer] = true
		}
	}
	for _, instance := range store.Instances.List(view) {
		for _, layer := range instance.Layers {
			needed[layer] = true
		}
	}
	for _, id := range l.Machines.List() {
		for _, path := range l.Machines.Status(id).Layers {
			needed[path[strings.LastIndexByte(path, '/')+1:]] = true
		}
	}
	return needed
}
