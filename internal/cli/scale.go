package cli

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/view"
)

func (a *app) scaleCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "scale N [DIR]",
		Short: "Set how many servers a scaling group has, and wait until they serve",
		Long: `Sets the number at once, within scaling.min and scaling.max of aloft.yaml, and waits
until so many servers are healthy behind the load balancer and no other is left; those
that go finish their requests before. The group's target and schedules go on from there.
A fixed number of servers is machines.count of aloft.yaml, and aloft up.`,
		Example: "  aloft scale 6\n  aloft scale 3 ./shop\n  aloft scale 6 --json | jq '.machines | length'",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			machines, err := strconv.Atoi(args[0])
			if err != nil || machines < 1 {
				return diag.List{
					{
						Where:   "aloft scale " + args[0],
						Summary: "is not a number of servers",
						Hint:    "for example: aloft scale 6",
						Cause:   err,
					},
				}
			}
			return a.scale(c.Context(), folder(args[1:]), machines)
		},
	}
}

func (a *app) scale(ctx context.Context, dir string, machines int) error {
	began := time.Now()
	d, tell, err := a.openToChange(ctx, dir, false)
	if err != nil {
		return err
	}
	status, err := d.Scale(ctx, machines)
	if err := tell.end(ctx, err); err != nil {
		return err
	}
	if a.json {
		return view.JSON(a.Out, status)
	}
	style := a.style(a.Out)
	_, _ = fmt.Fprintf(
		a.Out,
		"%s %s has %d servers, all of them serving, after %s.\n\n",
		style.Good("✓"),
		status.App,
		machines,
		view.Duration(time.Since(began)),
	)
	a.machines(status)
	if s := status.Scaling; s != nil && s.Policy != nil {
		_, _ = fmt.Fprintf(a.Out, "\nIts target goes on from here: %s.\n", s.Policy.Next)
	}
	return nil
}
