//go:build linux

package images

import (
	"context"
	"path"

	"aloft.dev/aloft/internal/cloud/store"
)

// deleteUnusedLayers deletes disposable layers that no snapshot, instance or machine
// uses. Base layers stay: they are a cache. While a capture is in progress it deletes
// nothing, because the rows do not contain the new layer yet.
func (l *Loop) deleteUnusedLayers(ctx context.Context) {
	l.mu.Lock()
	busy := len(l.capturing) > 0
	l.mu.Unlock()
	if busy {
		return
	}
	l.unrecorded.Lock()
	defer l.unrecorded.Unlock()
	layers, err := l.Layers.Disposable()
	if err != nil {
		l.Log.Warn("list the layers", "error", err)
		return
	}
	if len(layers) == 0 {
		return
	}
	used := l.usedLayers(l.Store.View()) // a view newer than the end of the last capture
	for _, layer := range layers {
		if used[layer] {
			continue
		}
		if err := l.Layers.Remove(ctx, layer); err != nil && ctx.Err() == nil {
			l.Log.Warn("delete a layer", "layer", layer, "error", err)
		}
	}
}

func (l *Loop) usedLayers(r store.Reader) map[string]bool {
	used := map[string]bool{}
	for _, snapshot := range store.Snapshots.List(r) {
		for _, layer := range snapshot.Layers {
			used[layer] = true
		}
	}
	for _, instance := range store.Instances.List(r) {
		for _, layer := range instance.Layers {
			used[layer] = true
		}
	}
	for _, task := range store.RootReplacements.List(r) {
		if !task.Ended() {
			for _, layer := range task.Layers {
				used[layer] = true
			}
		}
	}
	for _, id := range l.Machines.List() {
		for _, folder := range l.Machines.Status(id).Layers {
			used[path.Base(folder)] = true
		}
	}
	return used
}
