package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/cloud/host"
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

func runLocalReset(ctx context.Context, o *localResetOptions) error {
	if err := o.confirm("Delete everything in the local cloud?"); err != nil {
		return err
	}
	if err := o.stopLocal(ctx, stopTimeout); err != nil {
		return err
	}
	layout, err := o.layout()
	if err != nil {
		return err
	}
	if err := host.Delete(layout, o.images); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(o.Err, "%s The local cloud is empty.\n", o.style(o.Err).Good("✓"))
	return nil
}
