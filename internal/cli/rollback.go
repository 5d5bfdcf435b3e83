package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/view"
)

type rollbackOptions struct {
	*global
	dir     string
	release string // number or beginning of the name; "" for the previous good one
}

func newRollbackCommand(g *global, run func(context.Context, *rollbackOptions) error) *cobra.Command {
	o := &rollbackOptions{global: g}
	c := &cobra.Command{
		Use:   "rollback [RELEASE] [DIR]",
		Short: "Return to an earlier release, one server after the other",
		Long: `RELEASE is a number that aloft releases lists, or the first characters of a release's
name. By default it is the last good release before the serving one. Nothing is built:
servers start from the release's image, with the port, machine type and health check
that it had. If the release fails, Aloft restores the one that served before, and the
exit code is 3.`,
		Example: "  aloft rollback\n  aloft rollback 4\n  aloft rollback 3f2a90c1 ./shop",
		Args:    cobra.MaximumNArgs(2),
		RunE: func(c *cobra.Command, args []string) (err error) {
			if o.release, o.dir, err = releaseAndDir(args); err != nil {
				return err
			}
			return run(c.Context(), o)
		},
	}
	addFromFlag(c, g)
	return c
}

// releaseAndDir parses [RELEASE] [DIR]. A single argument is a release if it looks
// like one.
func releaseAndDir(args []string) (release, dir string, err error) {
	switch {
	case len(args) == 0:
		return "", ".", nil
	case looksLikeRelease(args[0]):
		return args[0], folder(args[1:]), nil
	case len(args) == 1:
		return "", args[0], nil
	}
	return "", "", diag.List{{
		Where:   args[0],
		Summary: "is not a release",
		Hint:    "give a number that aloft releases lists, or the first characters of a release; then a folder",
	}}
}

// looksLikeRelease reports whether text is a number, or four to twelve hexadecimal
// digits.
func looksLikeRelease(text string) bool {
	if _, err := strconv.ParseUint(text, 10, 16); err == nil {
		return true
	}
	return len(text) >= 4 && len(text) <= 12 && strings.Trim(text, "0123456789abcdef") == ""
}

func runRollback(ctx context.Context, o *rollbackOptions) error {
	began := time.Now()
	s, err := o.loadSpec(o.dir)
	if err != nil {
		return err
	}
	d, shown, err := o.openForChange(ctx, s, false)
	if err != nil {
		return err
	}
	status, to, err := d.Rollback(ctx, o.release)
	worked := shown.worked.Load()
	if err := joinCloseError(err, shown.Close()); err != nil {
		return err
	}
	if o.json {
		return view.JSON(o.Out, map[string]any{"release": to.Release, "number": to.Number, "status": status})
	}
	style, result := o.style(o.Out), "serves again"
	if !worked {
		result = "serves already: nothing to do"
	}
	_, _ = fmt.Fprintf(o.Out, "%s Release %s (%d), built from %s, %s (%s).\n\n  %s\n\n",
		style.Good("✓"), to.Release, to.Number, to.Source, result, view.Duration(time.Since(began)),
		style.Strong(status.URL))
	o.printServers(status)
	_, _ = fmt.Fprintf(o.Out, "\nThe source has not changed: %s would release it again.\n",
		style.Name(o.nextCommand("aloft up", o.dir)))
	return nil
}
