package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/view"
)

func (a *app) planCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "plan [DIR]",
		Short: "Show what up would create, change, replace or delete",
		Long: `Compares the application's spec with what the cloud holds, and changes nothing.
Exit code 0: nothing to do; 2: there are changes; 1: an error.`,
		Example: "  aloft plan\n  aloft plan --ref v1.4.0\n  aloft plan ./shop --on aws --region eu-west-1\n  aloft plan --json | jq '.changes[].address'",
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return a.plan(c.Context(), folder(args)) },
	}
	a.refFlag(c)
	return c
}

func (a *app) plan(ctx context.Context, dir string) error {
	d, err := a.open(ctx, dir, false, nil)
	if err != nil {
		return err
	}
	if err := a.afterDrill(ctx, d, looks); err != nil {
		return err
	}
	p, err := d.Plan(ctx)
	if err != nil {
		return err
	}
	if a.json {
		err = view.JSON(a.Out, p)
	} else {
		_, err = fmt.Fprint(a.Out, p.String())
	}
	if err == nil && !p.Empty() {
		return exit(ExitChanges)
	}
	return err
}
