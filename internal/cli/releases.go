package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/view"
)

type releasesOptions struct {
	*global
	dir string
}

func newReleasesCommand(g *global, run func(context.Context, *releasesOptions) error) *cobra.Command {
	o := &releasesOptions{global: g}
	return &cobra.Command{
		Use:   "releases [DIR]",
		Short: "List the releases: when each served, who made it, how it ended",
		Long: `Reads the history, which is stored in the cloud beside the application. aloft rollback
can return to every release that still has an image.`,
		Example: `  aloft releases
  aloft releases --json | jq -r '.releases[] | select(.serves) | .source'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.dir = folder(args)
			return run(c.Context(), o)
		},
	}
}

func runReleases(ctx context.Context, o *releasesOptions) error {
	d, err := o.openFolder(ctx, o.dir, nil)
	if err != nil {
		return err
	}
	all, err := d.Releases(ctx)
	if err != nil {
		return err
	}
	if o.json {
		if all == nil {
			all = []apply.Release{}
		}
		return view.JSON(o.Out, map[string]any{"app": d.spec.App, "region": d.spec.Region, "releases": all})
	}
	if len(all) == 0 {
		return diag.List{{
			Where: d.spec.App, Summary: "has no releases in " + d.spec.Region, Hint: "aloft up makes the first one",
		}}
	}
	o.printReleases(all)
	return nil
}

// printReleases prints the releases, newest first, what else changed with them, and why
// releases failed.
func (g *global) printReleases(all []apply.Release) {
	style := g.style(g.Out)
	rows := [][]string{{"NUMBER", "RELEASE", "RESULT", "STARTED", "TOOK", "BY", "IMAGE", "SOURCE"}}
	for i := len(all) - 1; i >= 0; i-- {
		r := all[i]
		result, took, image := string(r.Result), "", "gone"
		switch {
		case r.Serves:
			result = style.Good(result + ", serves")
		case r.Result == history.Failed:
			result = style.Bad(result)
		case r.Open():
			result = style.Warn(result)
		}
		if !r.Ended.IsZero() {
			took = view.Duration(r.Ended.Sub(r.Started))
		}
		if r.HasImage {
			image = r.Image
		}
		started := r.Started.Local().Format(time.DateTime)
		rows = append(rows, []string{strconv.Itoa(r.Number), r.Release, result, started, took, r.By, image, r.Source})
	}
	style.Table(g.Out, rows)
	for i := len(all) - 1; i >= 0; i-- {
		r := all[i]
		var texts []string
		if r.From != "" {
			texts = append(texts, "promoted from stage "+r.From)
		}
		if r.Change != "" {
			texts = append(texts, r.Change+" changed")
		}
		if r.Reason != "" {
			texts = append(texts, strings.ReplaceAll(r.Reason, "\n", " "))
		}
		if len(texts) > 0 {
			_, _ = fmt.Fprintf(g.Out, "\n%d: %s\n", r.Number, strings.Join(texts, "; "))
		}
	}
}
