package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/drill"
	"aloft.dev/aloft/internal/drill/report"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/spec"
)

type drillOptions struct {
	*global
	dir        string
	experiment drill.Experiment
	at         string // server or zone
	svg        string // file of the picture
	load       loadFlags
	force      bool
	restore    bool
}

func newDrillCommand(g *global, run func(context.Context, *drillOptions) error) *cobra.Command {
	o := &drillOptions{global: g}
	c := &cobra.Command{
		Use:   "drill EXPERIMENT [DIR]",
		Short: "Break something on purpose, under load, and measure what users notice",
		Long: `Sends requests at a steady rate, breaks something through the AWS API, and reports which
requests failed and for how long, compared with the bound that follows from the settings.
The experiments:

  instance   terminate one server, which shuts down in order; aloft up replaces it
  power      cut one server's power: it and its connections vanish; aloft up replaces it
  zone       isolate one zone: its servers and its load balancer node fall silent
  app        stop the application on one server
  freeze     suspend the application on one server, with its connections open
  overload   raise the load until requests fail; reports the capacity of a server

The drill restores what it changed at its end and on Ctrl-C. If it is killed, the next
aloft command restores it; aloft drill --restore does nothing else.
Exit code 0: inside the bound; 4: outside.`,
		Example: `  aloft drill zone
  aloft drill zone --at us-east-1b --rate 300 --svg zone.svg
  aloft drill power --rate 500
  aloft drill app --at server-2 --json | jq .availability
  aloft drill --restore`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(c *cobra.Command, args []string) (err error) {
			if o.restore {
				o.dir = folder(args)
			} else if o.experiment, o.dir, err = experimentAndDir(args); err != nil {
				return err
			}
			return run(c.Context(), o)
		},
	}
	flags := c.Flags()
	flags.StringVar(&o.at, "at", "", "the server or zone to break; the last one by default")
	flags.StringVar(&o.svg, "svg", "", "draw the run as an SVG picture into this file")
	o.load.add(flags)
	addFromFlag(c, g)
	flags.BoolVar(&o.force, "force", false,
		"break the last healthy server too; with --restore: also undo a drill that may still be running")
	flags.BoolVar(&o.restore, "restore", false, "only restore what a killed drill changed")
	return c
}

// loadFlags are the flags of the commands that drill.
type loadFlags struct {
	rate           float64
	calm, duration time.Duration
	confirmed      string // application's name
	changeACLs     bool
}

func (f *loadFlags) add(flags *pflag.FlagSet) {
	flags.Float64Var(&f.rate, "rate", 50, "requests per second; of an overload: the first rate")
	flags.DurationVar(&f.calm, "calm", 10*time.Second,
		"how long to send load before the failure and after the recovery")
	flags.DurationVar(&f.duration, "duration", 0,
		"how long the failure lasts; by default 10 s longer than its bound. "+
			"Of an overload: how long a step lasts, by default 5 s")
	flags.BoolVar(&f.changeACLs, "change-network-acls", false,
		"of a zone: change the network ACLs of subnets in a VPC that existed before")
	flags.StringVar(&f.confirmed, "confirm", "", "the application's name, in place of typing it, with --on aws")
}

func (f loadFlags) check() error {
	var problems diag.List
	if f.rate <= 0 || f.rate > 100_000 {
		problems.Add("--rate", "50 is the default", "expected 0 to 100000 requests per second, got %g", f.rate)
	}
	if f.calm < time.Second {
		problems.Add("--calm", "10s is the default", "expected 1s or more, got %s", f.calm)
	}
	if f.duration < 0 {
		problems.Add("--duration", "leave it out for the default", "expected 0s or more, got %s", f.duration)
	}
	return problems.Err()
}

func experimentAndDir(args []string) (drill.Experiment, string, error) {
	names := make([]string, len(drill.Experiments))
	for i, e := range drill.Experiments {
		names[i] = string(e)
	}
	problem := &diag.Diagnostic{
		Where:  "aloft drill",
		Detail: "the experiments: " + strings.Join(names, ", "),
		Hint:   "for example: aloft drill zone",
	}
	switch {
	case len(args) == 0:
		problem.Summary = "no experiment is named"
		return "", "", diag.List{problem}
	case !slices.Contains(names, args[0]):
		problem.Summary = fmt.Sprintf("%q is not an experiment", args[0])
		if near := spec.Nearest(args[0], names); near != "" {
			problem.Hint = "did you mean aloft drill " + near + "?"
		}
		return "", "", diag.List{problem}
	}
	return drill.Experiment(args[0]), folder(args[1:]), nil
}

func runDrill(ctx context.Context, o *drillOptions) error {
	if o.restore {
		return o.restoreOnly(ctx)
	}
	if err := o.load.check(); err != nil {
		return err
	}
	shown := o.newDrillProgress()
	d, err := o.openFolder(ctx, o.dir, shown.Event)
	if err != nil {
		return err
	}
	if err := o.confirmDrill(d.spec.App, o.load.confirmed); err != nil {
		return err
	}
	result, err := o.drillOnce(ctx, d, shown.Event, drill.Options{
		Experiment: o.experiment, At: o.at, Rate: o.load.rate, Calm: o.load.calm, Duration: o.load.duration,
		Force: o.force, ChangeACLs: o.load.changeACLs, Live: shown.live(),
	})
	if err := joinCloseError(err, shown.Close()); err != nil {
		return err
	}
	o.keepDrill(d.spec, result)
	return o.drillResult(result, o.svg)
}

// drillOnce runs one drill of a deployment.
func (g *global) drillOnce(
	ctx context.Context, d *deployment, events event.Sink, options drill.Options,
) (drill.Result, error) {
	status, err := g.readyForDrill(ctx, d, options.Experiment)
	if err != nil {
		return drill.Result{}, err
	}
	options.Settings = drillSettings(d.spec)
	return g.newDrill(d, events).Run(ctx, status, options)
}

func (g *global) newDrill(d *deployment, events event.Sink) *drill.Drill {
	return drill.New(drill.Config{
		Roots: g.roots(),
		App:   d.spec.App, Program: d.spec.Program(),
		Client: d.client, Poll: g.pollInterval(), Events: events, Connect: d.connectForScripts,
		Refill: d.Refill,
	})
}

// drillSettings returns the settings that determine how long users may see a
// failure.
func drillSettings(s *spec.Spec) report.Settings {
	h := s.LoadBalancer.Health
	return report.Settings{
		Interval: h.Interval, Timeout: h.Timeout, Unhealthy: h.Unhealthy, Healthy: h.Healthy,
		Zones: len(s.Network.Subnets), Targets: s.Machines.Count,
		DeregistrationDelay: s.LoadBalancer.DeregistrationDelay,
	}
}

// readyForDrill returns the status of a deployment that can be drilled: it serves,
// and matches its spec as far as the experiment relies on it.
func (g *global) readyForDrill(ctx context.Context, d *deployment, e drill.Experiment) (*apply.Status, error) {
	if err := g.handleUnfinishedDrill(ctx, d, willChange); err != nil {
		return nil, err
	}
	status, err := d.deployedStatus(ctx)
	if err != nil {
		return nil, err
	}
	if status.URL == "" || status.TargetGroupARN == "" {
		return nil, diag.List{{
			Where: d.spec.App, Summary: "does not serve yet", Hint: "aloft up continues the deployment",
		}}
	}
	if !e.Terminates() {
		return status, nil
	}
	// The drill should do nothing but replace the server.
	p, err := d.PlanRefill(ctx)
	if err == nil && !p.Empty() {
		err = diag.List{{
			Where:   d.spec.App,
			Summary: "differs from its spec, so replacing the server would change more",
			Hint:    "aloft plan shows the changes; aloft up makes them",
		}}
	}
	return status, err
}
