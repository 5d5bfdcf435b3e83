package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"
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
