package cli

import (
	"context"
	"errors"

	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/diag"
)

func runLocalRestart(ctx context.Context, o *localRestartOptions) error {
	return o.alone(ctx, func() error { return o.restart(ctx) })
}

func (o *localRestartOptions) restart(ctx context.Context) error {
	layout, err := o.layout()
	if err != nil {
		return err
	}
	if layout.Simulated {
		return diag.List{{
			Where:   "local cloud",
			Summary: "is simulated, and keeps nothing that a restart could save",
			Hint:    "stop and start it: aloft local stop" + o.cloudFlags(),
		}}
	}
	start := o.start
	start.address = host.DefaultAddress
	running, err := findDaemon(ctx, layout)
	if err != nil && !errors.Is(err, host.ErrNotRunning) {
		return err
	}
	if err == nil {
		start.address, start.restart = running.Address, true
		// Find what could keep this program from starting while the old daemon runs.
		// Its address is still in use, so check another one.
		config, err := o.daemonConfig(startOptions{
			address: "127.0.0.1:0", mirrors: start.mirrors, reach: start.reach, bandwidth: start.bandwidth,
		})
		if err != nil {
			return err
		}
		if err := host.Preflight(config.Layout, config.Address).Err(); err != nil {
			return err
		}
		if err := running.Leave(ctx); err != nil {
			return err
		}
	}
	return o.startLocal(ctx, start)
}
