package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aloft.dev/aloft/internal/cloud/host"
)

func runLocalStop(ctx context.Context, o *localStopOptions) error {
	return o.alone(ctx, func() error { return o.stopLocal(ctx, o.timeout) })
}

// stopLocal stops the daemon, or what a killed one left. Call it within alone.
func (g *global) stopLocal(ctx context.Context, timeout time.Duration) error {
	layout, err := g.layout()
	if err != nil {
		return err
	}
	running, err := findDaemon(ctx, layout)
	if errors.Is(err, host.ErrNotRunning) {
		// A daemon that was killed may have left machines running.
		if err := host.RemoveLeftovers(ctx, layout); err != nil {
			return err
		}
		_, _ = fmt.Fprintln(g.Err, "The local cloud is not running.")
		return nil
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if !layout.Simulated {
		_, _ = fmt.Fprintln(g.Err, "Stopping the local cloud: machines shut down…")
	}
	if err := running.Stop(ctx); err != nil {
		return err
	}
	style := g.style(g.Err)
	if layout.Simulated {
		_, _ = fmt.Fprintf(g.Err, "%s Stopped. A simulated local cloud keeps nothing.\n", style.Good("✓"))
		return nil
	}
	_, _ = fmt.Fprintf(g.Err, "%s Stopped. Everything is kept: %s starts it again.\n",
		style.Good("✓"), style.Name("aloft local start"))
	return nil
}
