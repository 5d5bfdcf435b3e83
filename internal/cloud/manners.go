//go:build linux

package cloud

import (
	"context"

	"aloft.dev/aloft/internal/cloud/host"
)

// readManners makes the local cloud behave as its file of manners says.
func (d *daemon) readManners() error {
	settings, err := host.ReadManners(d.Layout)
	if err != nil {
		return err
	}
	d.manners.Use(settings)
	d.Log.Info("manners", "on", settings.Manners, "seed", settings.Seed, "time-scale", settings.TimeScale)
	return nil
}

// followManners reads the file of manners again whenever it has changed, until ctx
// ends. A file that cannot be read leaves the manners as they are.
func (d *daemon) followManners(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-d.MannersChanged:
			if err := d.readManners(); err != nil {
				d.Log.Error("change the manners", "error", err)
			}
		}
	}
}
