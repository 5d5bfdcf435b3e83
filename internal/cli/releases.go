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

func (a *app) releasesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "releases [DIR]",
		Short: "List the releases: what served when, who made it, how it ended",
		Long: `Reads the history, which lives in the cloud beside the application. Those with an
image can be gone back to with aloft rollback.`,
		Example: "  aloft releases\n  aloft releases --json | jq -r '.releases[] | select(.serves) | .source'",
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return a.releases(c.Context(), folder(args)) },
	}
}

func (a *app) releases(ctx context.Context, dir string) error {
	d, err := a.open(ctx, dir, false, nil)
	if err != nil {
		return err
	}
	all, err := d.Releases(ctx)
	if err != nil {
		return err
	}
	if a.json {
		if all == nil {
			all = []apply.Release{}
		}
		return view.JSON(a.Out, map[string]any{"app": d.spec.App, "region": d.spec.Region, "releases": all})
	}
	if len(all) == 0 {
		return diag.List{
			{Where: d.spec.App, Summary: "has no releases in " + d.spec.Region, Hint: "aloft up makes the first"},
		}
	}
	a.releaseTable(all)
	return nil
}

// releaseTable prints the releases, the youngest first, and why one failed.
func (a *app) releaseTable(all []apply.Release) {
	style := a.style(a.Out)
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
		rows = append(
			rows,
			[]string{
				strconv.Itoa(r.Number),
				r.Release,
				result,
				r.Started.Local().Format(time.DateTime),
				took,
				r.By,
				image,
				r.Source,
			},
		)
	}
	style.Table(a.Out, rows)
	for i := len(all) - 1; i >= 0; i-- {
		if r := all[i]; r.Reason != "" {
			_, _ = fmt.Fprintf(a.Out, "\n%d: %s\n", r.Number, strings.ReplaceAll(r.Reason, "\n", " "))
		}
	}
}

func (a *app) rollbackCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "rollback [RELEASE] [DIR]",
		Short: "Bring an earlier release back into service, one server after the other",
		Long: `RELEASE is a number of aloft releases, or the first characters of a release; by default
it is the last one that was good before the one that serves. Nothing is built: servers
start from its image, with the port, machine type and health check that it had. When it
does not hold, what served before comes back, and the exit code is 3.`,
		Example: "  aloft rollback\n  aloft rollback 4\n  aloft rollback 3f2a90c1 ./shop",
		Args:    cobra.MaximumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			release, dir, err := releaseAndDir(args)
			if err != nil {
				return err
			}
			return a.rollback(c.Context(), dir, release)
		},
	}
}

// releaseAndDir reads [RELEASE] [DIR]. One argument alone is a release when it
// looks like one.
func releaseAndDir(args []string) (release, dir string, err error) {
	switch {
	case len(args) == 0:
		return "", ".", nil
	case looksLikeRelease(args[0]):
		return args[0], folder(args[1:]), nil
	case len(args) == 1:
		return "", args[0], nil
	}
	return "", "", diag.List{
		{
			Where:   args[0],
			Summary: "is no release",
			Hint:    "give a number of aloft releases, or the first characters of a release; then a folder",
		},
	}
}

// looksLikeRelease tells of a number, or of four to twelve hexadecimal digits.
func looksLikeRelease(text string) bool {
	if _, err := strconv.ParseUint(text, 10, 16); err == nil {
		return true
	}
	return len(text) >= 4 && len(text) <= 12 && strings.Trim(text, "0123456789abcdef") == ""
}

func (a *app) rollback(ctx context.Context, dir, release string) error {
	began := time.Now()
	d, tell, err := a.openToChange(ctx, dir, false)
	if err != nil {
		return err
	}
	status, to, err := d.Rollback(ctx, release)
	worked := tell.used.Load()
	if err := joined(err, tell.Close()); err != nil {
		return err
	}
	if a.json {
		return view.JSON(a.Out, map[string]any{"release": to.Release, "number": to.Number, "status": status})
	}
	style, text := a.style(a.Out), "serves again"
	if !worked {
		text = "serves already: nothing to do"
	}
	_, _ = fmt.Fprintf(
		a.Out,
		"%s Release %s (%d), of %s, %s (%s).\n\n  %s\n\n",
		style.Good("✓"),
		to.Release,
		to.Number,
		to.Source,
		text,
		view.Duration(time.Since(began)),
		style.Strong(status.URL),
	)
	a.machines(status)
	_, _ = fmt.Fprintf(
		a.Out,
		"\nThe source is what it was: %s would release it again.\n",
		style.Name(a.sudo()+command("aloft up", dir)+a.again()),
	)
	return nil
}
