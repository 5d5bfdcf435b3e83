package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type localResetOptions struct {
	*global
	images bool
}

func newLocalResetCommand(g *global, run func(context.Context, *localResetOptions) error) *cobra.Command {
	o := &localResetOptions{global: g}
	c := &cobra.Command{
		Use:   "reset",
		Short: "Stop the local cloud and delete everything in it except the base images",
		Long: `Deletes the machines, their disks and every other resource, without a way back. The base
images take a minute or two to build, so they are kept unless --images is given.`,
		Example: "  sudo aloft local reset\n  sudo aloft local reset --images --yes",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return run(c.Context(), o) },
	}
	c.Flags().BoolVar(&o.images, "images", false, "delete the base images too")
	return c
}
