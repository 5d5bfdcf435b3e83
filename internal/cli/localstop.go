package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/cloud/host"
)

// stopTimeout is how long machines have to shut down by default.
const stopTimeout = 2 * time.Minute

type localStopOptions struct {
	*global
	timeout time.Duration
}

func newLocalStopCommand(g *global, run func(context.Context, *localStopOptions) error) *cobra.Command {
	o := &localStopOptions{global: g}
	c := &cobra.Command{
		Use:   "stop",
		Short: "Stop the local cloud and its machines; everything is kept for the next start",
		Long: `Shuts the machines down, removes the networks from the kernel and ends the daemon. aloft
local start starts the same machines again, with their disks and addresses.`,
		Example: "  sudo aloft local stop\n  sudo aloft local stop --timeout 30s",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return run(c.Context(), o) },
	}
	c.Flags().DurationVar(&o.timeout, "timeout", stopTimeout, "how long to wait for the machines to shut down")
	return c
}

func runLocalStop(ctx context.Context, o *localStopOptions) error { return o.stopLocal(ctx, o.timeout) }

func (g *global) stopLocal(ctx context.Context, timeout time.Duration) error {
	layout, err := g.layout()
	if err != nil {
		return err
	}
	running, err := findDaemon(layout)
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
	_, _ = fmt.Fprintln(g.Err, "Stopping the local cloud: machines shut down…")
	if err := running.Stop(ctx); err != nil {
		return err
	}
	style := g.style(g.Err)
	_, _ = fmt.Fprintf(g.Err, "%s Stopped. Everything is kept: %s starts it again.\n",
		style.Good("✓"), style.Name("aloft local start"))
	return nil
}
