//go:build linux

package images

import (
	"context"
)

// Import makes the import with the given id a layer. record must put the layer into a row;
// if it fails, the loop deletes the layer.
func (l *Loop) Import(ctx context.Context, id string, record func(layer string) error) error {
	l.unrecorded.Lock()
	defer l.unrecorded.Unlock()
	layer := l.Layers.NewLayerID()
	if err := l.Layers.CommitImport(ctx, id, layer); err != nil {
		return err
	}
	return record(layer)
}
