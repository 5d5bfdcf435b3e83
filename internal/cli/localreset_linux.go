package cli

import (
	"context"
	"fmt"

	"aloft.dev/aloft/internal/cloud/host"
)

func runLocalReset(ctx context.Context, o *localResetOptions) error {
	if err := o.confirm("Delete everything in the local cloud?"); err != nil {
		return err
	}
	return o.alone(ctx, func() error { return o.reset(ctx) })
}

func (o *localResetOptions) reset(ctx context.Context) error {
	layout, err := o.layout()
	if err != nil {
		return err
	}
	if running, err := findDaemon(ctx, layout); layout.Simulated && err == nil {
		if err := running.Reset(ctx, layout); err != nil {
			return err
		}
		_, _ = fmt.Fprintf(o.Err, "%s The simulated local cloud is empty, and runs on.\n", o.style(o.Err).Good("✓"))
		return nil
	}
	if err := o.stopLocal(ctx, stopTimeout); err != nil {
		return err
	}
	if err := host.Delete(ctx, layout, o.images); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(o.Err, "%s The local cloud is empty.\n", o.style(o.Err).Good("✓"))
	o.noteTrust(layout)
	return nil
}
