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

type scaleOptions struct {
	*global
	dir     string
	servers int
}

func newScaleCommand(g *global, run func(context.Context, *scaleOptions) error) *cobra.Command {
	o := &scaleOptions{global: g}
	return &cobra.Command{
		Use:   "scale N [DIR]",
		Short: "Set the number of servers of an Auto Scaling group, and wait until they serve",
		Long: `Sets the group's desired capacity at once, within scaling.min and scaling.max of
aloft.yaml, and waits until that many servers are healthy behind the load balancer and no
other is left. Servers that leave finish their requests first. The group's policy and
schedules continue from there. To change a fixed number of servers, set machines.count in
aloft.yaml and run aloft up.`,
		Example: "  aloft scale 6\n  aloft scale 3 ./shop\n  aloft scale 6 --json | jq '.machines | length'",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			servers, err := strconv.Atoi(args[0])
			if err != nil || servers < 1 {
				return diag.List{{
					Where:   "aloft scale " + args[0],
					Summary: "is not a number of servers",
					Hint:    "for example: aloft scale 6",
					Cause:   err,
				}}
			}
			o.servers, o.dir = servers, folder(args[1:])
			return run(c.Context(), o)
		},
	}
}

func runScale(ctx context.Context, o *scaleOptions) error {
	began := time.Now()
	s, err := o.loadSpec(o.dir)
	if err != nil {
		return err
	}
	d, shown, err := o.openForChange(ctx, s, false)
	if err != nil {
		return err
	}
	status, err := d.Scale(ctx, o.servers)
	if err := shown.end(ctx, err); err != nil {
		return err
	}
	if o.json {
		return view.JSON(o.Out, status)
	}
	style := o.style(o.Out)
	_, _ = fmt.Fprintf(o.Out, "%s %s has %d servers, all of them serving, after %s.\n\n",
		style.Good("✓"), status.App, o.servers, view.Duration(time.Since(began)))
	o.printServers(status)
	if s := status.Scaling; s != nil && s.Policy != nil {
		_, _ = fmt.Fprintf(o.Out, "\nThe policy continues from here: %s.\n", s.Policy.Next)
	}
	return nil
}
