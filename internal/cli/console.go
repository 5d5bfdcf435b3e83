package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type consoleOptions struct {
	*global
	dir string
}

func newConsoleCommand(g *global, run func(context.Context, *consoleOptions) error) *cobra.Command {
	o := &consoleOptions{global: g}
	return &cobra.Command{
		Use:   "console [DIR]",
		Short: "Open pages in a browser that show the local cloud: topology, traffic, calls, and why",
		Long: `Prints a link to the console of the local cloud, which shows the application's region:
what stands where and how it is, what passes through load balancers, alarms and scaling
activities, every call of the APIs as it arrives, and why one place cannot reach another.
The pages follow changes, and only read.

The link opens the console once, within five minutes, in one browser of this computer.
From elsewhere, forward the port: ssh -L 4566:127.0.0.1:4566 HOST.`,
		Example: "  aloft console\n  aloft console --json | jq -r .url",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.dir = folder(args)
			return run(c.Context(), o)
		},
	}
}
