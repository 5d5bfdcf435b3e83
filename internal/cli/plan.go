package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/view"
)

type planOptions struct {
	*global
	dir string
	ref string
}

func newPlanCommand(g *global, run func(context.Context, *planOptions) error) *cobra.Command {
	o := &planOptions{global: g}
	c := &cobra.Command{
		Use:   "plan [DIR]",
		Short: "Show what up would create, change, replace or delete",
		Long: `Compares aloft.yaml with the cloud. It changes nothing.
Exit code 0: nothing to do; 2: there are changes; 1: an error.`,
		Example: `  aloft plan
  aloft plan --ref v1.4.0
  aloft plan ./shop --on aws --region eu-west-1
  aloft plan --json | jq '.changes[].address'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.dir = folder(args)
			return run(c.Context(), o)
		},
	}
	addRefFlag(c, &o.ref)
	addRefreshBaseFlag(c, g)
	return c
}

// addRefreshBaseFlag adds --refresh-base, for the commands that may build a release.
func addRefreshBaseFlag(c *cobra.Command, g *global) {
	c.Flags().BoolVar(&g.refreshBase, "refresh-base", false,
		"build on the newest base image, in place of the one that the deployment was built on")
}

// addRefFlag adds --ref, for the commands that read the application's source.
func addRefFlag(c *cobra.Command, ref *string) {
	c.Flags().StringVar(ref, "ref", "", "the branch, tag or commit of a git source, in place of aloft.yaml's")
}

func runPlan(ctx context.Context, o *planOptions) error {
	s, err := o.loadSpec(o.dir)
	if err != nil {
		return err
	}
	if err := overrideRef(s, o.ref); err != nil {
		return err
	}
	d, err := o.open(ctx, s, false, nil)
	if err != nil {
		return err
	}
	if err := o.handleUnfinishedDrill(ctx, d, willRead); err != nil {
		return err
	}
	p, err := d.Plan(ctx)
	if err != nil {
		return err
	}
	p.RegionFrom = d.regionFrom
	if o.json {
		err = view.JSON(o.Out, p)
	} else {
		_, err = fmt.Fprint(o.Out, p.String())
	}
	if err == nil && !p.Empty() {
		return exit(ExitChanges)
	}
	return err
}
