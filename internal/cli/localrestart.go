package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type localRestartOptions struct {
	*global
	start startOptions
}

func newLocalRestartCommand(g *global, run func(context.Context, *localRestartOptions) error) *cobra.Command {
	o := &localRestartOptions{global: g}
	c := &cobra.Command{
		Use:   "restart",
		Short: "Restart the daemon without interrupting machines and traffic",
		Long: `Ends the daemon alone and starts this version of it, which takes over the running machines
and load balancers. Run it after an update of aloft.`,
		Example: `  sudo aloft local restart
  sudo aloft local restart --network-rate 64Mbps`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			o.start.reach.note(c.Flags())
			return run(c.Context(), o)
		},
	}
	addMirrorFlag(c.Flags(), &o.start)
	o.start.reach.register(c.Flags())
	o.start.bandwidth.register(c.Flags())
	return c
}
