package cli

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/view"
)

func (a *app) downCommand() *cobra.Command {
	var images bool
	var name string
	c := &cobra.Command{
		Use:   "down [DIR]",
		Short: "Remove everything of the application, and prove that nothing is left",
		Long: `Deletes all that carries the application's tag, whole or half-built. The images of its
releases stay, so that the next up is quick, unless --images is given.`,
		Example: "  aloft down\n  aloft down --images --yes\n  aloft down ./shop --on aws\n  aloft down --app shop --region eu-west-1   # when its aloft.yaml is lost",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if name != "" && len(args) > 0 {
				return diag.List{
					{
						Where:   "aloft down",
						Summary: "a folder and --app are both given",
						Hint:    "give the one that is meant",
					},
				}
			}
			return a.down(c.Context(), folder(args), name, images)
		},
	}
	c.Flags().StringVar(&name, "app", "", "name of the application; no aloft.yaml is read then")
	c.Flags().BoolVar(&images, "images", false, "delete the images of all releases, too")
	return c
}

func (a *app) down(ctx context.Context, dir, name string, images bool) error {
	began := time.Now()
	tell := newOnce(a.teller)
	d, err := a.openToRemove(ctx, dir, name, tell.Event)
	if err != nil {
		return err
	}
	if err := a.confirm(fmt.Sprintf("Delete everything of %s in %s (--on %s)?", d.spec.App, d.spec.Region, a.on)); err != nil {
		return err
	}
	if err := a.afterDrill(ctx, d, removes); err != nil {
		return err
	}
	err = d.Down(ctx, apply.DownOptions{Images: images})
	if closed := tell.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	if a.json {
		return view.JSON(
			a.Out,
			map[string]any{"app": d.spec.App, "region": d.spec.Region, "left": []string{}, "images_deleted": images},
		)
	}
	kept := " The images of its releases are kept: --images deletes them, too."
	if images {
		kept = " Its images and their snapshots are gone, too."
	}
	_, _ = fmt.Fprintf(
		a.Out,
		"%s Nothing is left of %s in %s: EC2 and Elastic Load Balancing list nothing with its tag (%s).%s\n",
		a.style(a.Out).Good("✓"),
		d.spec.App,
		d.spec.Region,
		view.Duration(time.Since(began)),
		kept,
	)
	return nil
}

// openToRemove gives the deployment of a folder, or of an application by its
// name: what is to go needs no spec.
func (a *app) openToRemove(ctx context.Context, dir, name string, events event.Sink) (*deployment, error) {
	if name != "" {
		if !spec.ValidApp(name) {
			return nil, diag.List{
				{
					Where:   "--app " + name,
					Summary: "is not the name of an application",
					Hint:    "what belongs to one carries its name in the tag aloft:app",
				},
			}
		}
		return a.openSpec(ctx, &spec.Spec{App: name, Region: cmp.Or(a.region, spec.DefaultRegion)}, false, events)
	}
	if _, err := a.load(dir); err != nil {
		return nil, append(diag.From(err), &diag.Diagnostic{Where: "aloft down", Summary: "can do without the file",
			Hint: "aloft down --app NAME" + a.again() + ", and --region if it is not in " + spec.DefaultRegion})
	}
	return a.open(ctx, dir, false, events)
}
