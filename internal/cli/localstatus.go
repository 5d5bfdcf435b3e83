package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type localStatusOptions struct{ *global }

func newLocalStatusCommand(g *global, run func(context.Context, *localStatusOptions) error) *cobra.Command {
	o := &localStatusOptions{global: g}
	return &cobra.Command{
		Use:   "status",
		Short: "Show whether the local cloud runs, its base images and its machines",
		Long: `Shows the daemon's address and version, the manners that the local cloud has, the base
images, and the memory that each machine uses.`,
		Example: "  sudo aloft local status\n  sudo aloft local status --json",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return run(c.Context(), o) },
	}
}
