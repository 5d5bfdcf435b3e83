package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/cost"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/preflight"
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
		Long: `Compares aloft.yaml with the cloud. It changes nothing. If something would be created, it
also shows the checks that up makes before it creates anything, and the price.
Exit code 0: nothing to do; 2: there are changes; 1: an error.`,
		Example: `  aloft plan
  aloft plan --ref v1.4.0
  aloft plan ./shop --on aws --region eu-west-1
  aloft plan --json | jq '.changes[].address'
  aloft plan --json | jq '.preflight[] | select(.state != "ok")'`,
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
	p, checks, err := d.PlanWithChecks(ctx)
	if err != nil {
		return err
	}
	p.RegionFrom = d.regionFrom
	if err := o.print(planned{Plan: p, Preflight: checks, Cost: o.estimate(s)}); err != nil {
		return err
	}
	if !p.Empty() {
		return exit(ExitChanges)
	}
	return nil
}

// planned is a plan with what is known before it is carried out.
type planned struct {
	*plan.Plan
	Preflight preflight.Report `json:"preflight"` // empty if the plan creates nothing
	Cost      *cost.Estimate   `json:"cost"`
}

// print prints the plan, and for a plan that creates something the checks and the
// price.
func (o *planOptions) print(p planned) error {
	if o.json {
		if p.Preflight == nil {
			p.Preflight = preflight.Report{}
		}
		return view.JSON(o.Out, p)
	}
	_, err := fmt.Fprint(o.Out, p.String())
	if err == nil && len(p.Preflight) > 0 {
		_, _ = fmt.Fprintln(o.Out, "\nBefore anything is created:")
		o.style(o.Out).Checks(o.Out, p.Preflight)
		_, err = fmt.Fprintf(o.Out, "\nOn AWS it costs %s a month: aloft cost shows the parts.\n", p.Cost.Sum())
	}
	return err
}
