package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type localLogsOptions struct {
	*global
	follow bool
}

func newLocalLogsCommand(g *global, run func(context.Context, *localLogsOptions) error) *cobra.Command {
	o := &localLogsOptions{global: g}
	c := &cobra.Command{
		Use:   "logs",
		Short: "Print the local cloud's log",
		Long: `Prints the log of the daemon: requests, control loops, and what they do to machines and
networks.`,
		Example: "  sudo aloft local logs\n  sudo aloft local logs --follow",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return run(c.Context(), o) },
	}
	c.Flags().BoolVarP(&o.follow, "follow", "f", false, "keep printing new lines until Ctrl-C")
	return c
}
