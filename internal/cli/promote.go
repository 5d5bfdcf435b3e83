package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/verify"
	"aloft.dev/aloft/internal/view"
)

type promoteOptions struct {
	*global
	dir, source, target string
}

func newPromoteCommand(g *global, run func(context.Context, *promoteOptions) error) *cobra.Command {
	o := &promoteOptions{global: g}
	c := &cobra.Command{
		Use:   "promote STAGE --to STAGE [DIR]",
		Short: "Release to one stage what serves in another, without building it again",
		Long: `Copies the image of the release that serves in one stage, and brings it into service in
another like any other release: proven on a machine without traffic, one server after the
other, rolled back if it fails. Variables, secrets, sizes and protection are those of the
other stage. The source here has to be that of the release.`,
		Example: "  aloft promote staging --to production\n  aloft promote staging --to production ./shop --on aws",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			o.source, o.dir = args[0], folder(args[1:])
			if o.target == "" || o.source == o.target || g.stage != "" {
				return diag.List{{
					Where: "aloft promote", Summary: "needs two different stages, and no --stage",
					Hint: "for example: aloft promote staging --to production",
				}}
			}
			return run(c.Context(), o)
		},
	}
	addFromFlag(c, g)
	addRefreshBaseFlag(c, g)
	c.Flags().StringVar(&o.target, "to", "", "the `STAGE` that the release is to serve")
	return c
}

func runPromote(ctx context.Context, o *promoteOptions) error {
	began := time.Now()
	o.stage = o.source
	source, err := o.openFolder(ctx, o.dir, nil)
	if err != nil {
		return err
	}
	o.stage = o.target
	s, err := o.loadSpec(o.dir)
	if err != nil {
		return err
	}
	from, err := source.Promotable(ctx)
	if err != nil {
		return err
	}
	d, shown, err := o.openForChange(ctx, s, false)
	if err != nil {
		return err
	}
	status, err := d.Promote(ctx, from)
	report := verify.Report{}
	if err == nil && shown.worked.Load() {
		report = o.verifyAsStep(ctx, d, status, shown.Event)
	}
	if err := shown.end(ctx, err); err != nil {
		return err
	}
	if err := o.printPromotion(from, status, time.Since(began)); err != nil {
		return err
	}
	if !report.OK() {
		o.printChecks(o.Err, verify.Report{URL: report.URL, Checks: report.Failed()})
		return exit(ExitNotVerified)
	}
	return nil
}

func (o *promoteOptions) printPromotion(from *apply.Promotion, s *apply.Status, took time.Duration) error {
	if o.json {
		return view.JSON(o.Out, map[string]any{"release": from.Release(), "promoted_from": o.source, "status": s})
	}
	style := o.style(o.Out)
	_, err := fmt.Fprintf(o.Out, "%s Release %s of stage %s, built from %s, serves stage %s (%s).\n\n  %s\n\n",
		style.Good("✓"), from.Release(), o.source, from.Source(), o.target, view.Duration(took), style.Strong(s.URL))
	o.printServers(s)
	o.printCommands([][2]string{
		{o.nextCommand("aloft status", o.dir), "show the servers and their health"},
		{o.nextCommand("aloft rollback", o.dir), "return to the release that served before, if there was one"},
	})
	return err
}
