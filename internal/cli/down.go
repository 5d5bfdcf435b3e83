package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/view"
)

type downOptions struct {
	*global
	dir    string
	app    string // in place of dir's aloft.yaml
	images bool
}

func newDownCommand(g *global, run func(context.Context, *downOptions) error) *cobra.Command {
	o := &downOptions{global: g}
	c := &cobra.Command{
		Use:   "down [DIR]",
		Short: "Delete everything of the application, and prove that nothing is left",
		Long: `Deletes every resource that carries the application's tag, complete or half-created. The
images of its releases are kept, so that the next up is fast, unless --images is given. An
application that aloft.yaml protects is not deleted without --unprotect.`,
		Example: `  aloft down
  aloft down --images --yes
  aloft down ./shop --on aws
  aloft down --app shop --region eu-west-1   # without its aloft.yaml`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if o.app != "" && len(args) > 0 {
				return diag.List{{
					Where: "aloft down", Summary: "a folder and --app are both given", Hint: "give one of them",
				}}
			}
			if o.app != "" && g.stage != "" {
				return diag.List{{
					Where: "aloft down", Summary: "--stage and --app are both given",
					Hint: "give --app the name of the stage's application, or leave it out",
				}}
			}
			o.dir = folder(args)
			return run(c.Context(), o)
		},
	}
	c.Flags().StringVar(&o.app, "app", "", "the application's name, in place of reading aloft.yaml")
	c.Flags().BoolVar(&o.images, "images", false, "delete the images of all releases too")
	addUnprotectFlag(c, g)
	return c
}

// addUnprotectFlag adds --unprotect, for the commands that delete and replace resources.
func addUnprotectFlag(c *cobra.Command, g *global) {
	c.Flags().BoolVar(&g.unprotect, "unprotect", false,
		"also delete or replace what protect: true in aloft.yaml protects")
}

func runDown(ctx context.Context, o *downOptions) error {
	began := time.Now()
	shown := newLazyProgress(o.newProgress)
	d, err := o.openToDelete(ctx, shown.Event)
	if err != nil {
		return err
	}
	app, region := d.spec.App, d.spec.Region
	question := fmt.Sprintf("Delete everything of %s in %s (--on %s)?", d.spec.Title(), region, o.on)
	if err := o.confirm(question); err != nil {
		return err
	}
	if err := o.handleUnfinishedDrill(ctx, d, willDelete); err != nil {
		return err
	}
	unchecked := []string{}
	err = d.Down(ctx, apply.DownOptions{
		Images: o.images, Unchecked: func(operation string) { unchecked = append(unchecked, operation) },
	})
	if err := cmp.Or(err, shown.Close()); err != nil {
		return err
	}
	if o.json {
		document := map[string]any{"app": app, "region": region, "left": []string{}, "images_deleted": o.images}
		if len(unchecked) > 0 {
			document["unchecked"] = unchecked
		}
		return view.JSON(o.Out, document)
	}
	images := "The images of its releases are kept: --images deletes them too."
	if o.images {
		images = "Its images and their snapshots are deleted too."
	}
	_, _ = fmt.Fprintf(o.Out,
		"%s Nothing is left of %s in %s: no service of AWS that it used lists anything with its tag (%s). %s\n",
		o.style(o.Out).Good("✓"), app, region, view.Duration(time.Since(began)), images)
	if len(unchecked) > 0 {
		_, _ = fmt.Fprintf(o.Err, "%s The endpoint does not offer %s: what they list was not checked.\n",
			o.style(o.Err).Warn("!"), strings.Join(unchecked, ", "))
	}
	return nil
}

// openToDelete returns the deployment of a folder, or of the application that
// --app names: deleting needs no spec.
func (o *downOptions) openToDelete(ctx context.Context, events event.Sink) (*deployment, error) {
	if o.app != "" {
		if !spec.ValidApp(o.app) {
			return nil, diag.List{{
				Where:   "--app " + o.app,
				Summary: "is not the name of an application",
				Hint:    "give the name in the tag aloft:app of its resources",
			}}
		}
		s := &spec.Spec{App: o.app, Region: cmp.Or(o.region, spec.DefaultRegion), RegionGiven: o.region != ""}
		return o.open(ctx, s, false, events)
	}
	s, err := o.loadSpec(o.dir)
	if err != nil {
		return nil, append(diag.From(err), &diag.Diagnostic{
			Where: "aloft down", Summary: "does not need the file",
			Hint: "aloft down --app NAME" + o.cloudFlags() + ", and --region if it is not in " + spec.DefaultRegion,
		})
	}
	return o.open(ctx, s, false, events)
}
