package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/timing"
	"aloft.dev/aloft/internal/verify"
	"aloft.dev/aloft/internal/view"
)

type upOptions struct {
	*global
	dir     string
	ref     string
	timings bool
}

func newUpCommand(g *global, run func(context.Context, *upOptions) error) *cobra.Command {
	o := &upOptions{global: g}
	c := &cobra.Command{
		Use:   "up [DIR]",
		Short: "Deploy the application or a new release of it, in three zones behind a load balancer",
		Long: `Changes the cloud to match aloft.yaml and verifies that the application serves. If a run
was stopped, the next one continues it. A server that is broken or gone is replaced. If
there is nothing to do, nothing changes. A local cloud that does not run is started.

A changed source is a new release. Aloft builds it and tests it on machines without
traffic, then replaces one server after the other: each leaves when its successor is
healthy and its last request is answered. A release that fails at any point is rolled
back, and the exit code is 3.`,
		Example: `  aloft up
  aloft up ./shop
  aloft up --ref v1.4.0
  aloft up --timings
  aloft up --on aws --region eu-west-1 --profile work`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.dir = folder(args)
			return run(c.Context(), o)
		},
	}
	addRefFlag(c, &o.ref)
	addRefreshBaseFlag(c, g)
	addFromFlag(c, g)
	addUnprotectFlag(c, g)
	c.Flags().BoolVar(&o.timings, "timings", false, "show how long each task took, and which ones the run waited for")
	return c
}

func runUp(ctx context.Context, o *upOptions) error {
	began := time.Now()
	s, err := o.loadSpec(o.dir) // reports mistakes in the spec before anything starts
	if err != nil {
		return err
	}
	if err := overrideRef(s, o.ref); err != nil {
		return err
	}
	d, shown, err := o.openForChange(ctx, s, true)
	if err != nil {
		return err
	}
	var times *timing.Recorder
	if o.timings {
		times = &timing.Recorder{}
		d.RecordTimings(times)
	}
	status, err := d.Up(ctx)
	worked := shown.worked.Load()
	report := verify.Report{}
	if err == nil && (worked || status.Problem != "") {
		report = o.verifyAsStep(ctx, d, status, shown.Event)
	}
	ended := time.Now()
	if err := shown.end(ctx, err); err != nil {
		o.printTimings(o.Err, times, began, ended)
		return err
	}
	if o.json {
		err = view.JSON(o.Out, upResult{Status: status, Timings: timingsOf(times, began, ended)})
	} else {
		o.printResult(status, worked, report.OK(), ended.Sub(began))
		o.printTimings(o.Out, times, began, ended)
	}
	if err == nil && !report.OK() {
		o.printChecks(o.Err, verify.Report{URL: report.URL, Checks: report.Failed()})
		return exit(ExitNotVerified)
	}
	return err
}

// upResult is the output of aloft up --json.
type upResult struct {
	*apply.Status
	Timings *timing.Report `json:"timings,omitempty"` // with --timings
}

// printResult prints how the run ended, the servers, and commands to run next.
func (o *upOptions) printResult(s *apply.Status, worked, verified bool, took time.Duration) {
	style, elapsed := o.style(o.Out), view.Duration(took)
	good := style.Good("✓")
	switch {
	case !worked && verified:
		_, _ = fmt.Fprintf(o.Out, "%s Nothing to do: %s matches its spec (%s).\n", good, s.App, elapsed)
	case verified:
		_, _ = fmt.Fprintf(o.Out, "%s %s is up, and verified, in %s.\n", good, s.App, elapsed)
	default:
		bad := style.Bad("✗")
		_, _ = fmt.Fprintf(o.Out, "%s %s is deployed after %s, but a check failed.\n", bad, s.App, elapsed)
	}
	_, _ = fmt.Fprintf(o.Out, "\n  %s\n\n", style.Strong(s.URL))
	o.printServers(s)
	o.printNext(s)
}

func (o *upOptions) printNext(s *apply.Status) {
	rows := [][2]string{{o.nextCommand("aloft status", o.dir), "show the servers and their health"}}
	if len(s.Machines) > 0 {
		dir := ""
		if o.dir != "." {
			dir = " " + o.dir
		}
		ssh := o.sudo() + "aloft ssh" + dir + " " + s.Machines[0].Name + o.cloudFlags()
		rows = append(rows, [2]string{ssh, "open a shell on a server"})
	}
	rows = append(rows,
		[2]string{o.nextCommand("aloft up", o.dir), "replace a server that you terminated; the others keep serving"},
		[2]string{o.nextCommand("aloft rollback", o.dir), "return to the previous release after you released another"},
		[2]string{o.nextCommand("aloft down", o.dir), "delete everything"},
	)
	o.printCommands(rows)
}

// printCommands prints commands to run next, each with what it does.
func (g *global) printCommands(rows [][2]string) {
	width := 0
	for _, row := range rows {
		width = max(width, len(row[0]))
	}
	style := g.style(g.Out)
	_, _ = fmt.Fprintf(g.Out, "\nNext:\n")
	for _, row := range rows {
		_, _ = fmt.Fprintf(g.Out, "  %s%s   %s\n", style.Name(row[0]), strings.Repeat(" ", width-len(row[0])), row[1])
	}
}
