package cli

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/drill"
	"aloft.dev/aloft/internal/drill/report"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/view"
)

// drillFlags are what the user says of a drill.
type drillFlags struct {
	at, svg, named  string
	rate            float64
	calm, duration  time.Duration
	force, restores bool
}

func (a *app) drillCommand() *cobra.Command {
	var f drillFlags
	c := &cobra.Command{
		Use:   "drill EXPERIMENT [DIR]",
		Short: "Break something on purpose, under load, and measure what users see of it",
		Long: `Sends requests at a steady rate, breaks something through the AWS API, and tells which
requests failed and for how long, against the bound that the settings promise. The
experiments:

  instance   terminate one server; its place is filled again
  zone       cut off one zone, machines and balancer node, silently
  app        stop the application on one server
  freeze     let the application on one server hang, with its connections open
  overload   raise the load until it is too much; tells the capacity of a server

What was changed is put back in the end and on Ctrl-C; when the drill is killed, the
next aloft command does it, and aloft drill --restore does only that.
Exit code 0: inside the bound; 4: outside.`,
		Example: "  aloft drill zone\n  aloft drill zone --at us-east-1b --rate 300 --svg zone.svg\n  aloft drill app --at server-2 --json | jq .availability\n  aloft drill --restore",
		Args:    cobra.MaximumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			if f.restores {
				return a.drillRestore(c.Context(), folder(args), f.force)
			}
			experiment, dir, err := experimentAndDir(args)
			if err != nil {
				return err
			}
			return a.drillOnce(c.Context(), dir, experiment, f)
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.at, "at", "", "server or zone that is hit; the last one by default")
	flags.StringVar(&f.svg, "svg", "", "draw the run into this file")
	f.loadFlags(flags)
	flags.BoolVar(
		&f.force,
		"force",
		false,
		"also when no healthy server would be left; with --restore: also what a drill changed that may still run",
	)
	flags.BoolVar(&f.restores, "restore", false, "only put back what a drill changed that was killed")
	return c
}

// loadFlags are those of everything that drills.
func (f *drillFlags) loadFlags(flags *pflag.FlagSet) {
	flags.Float64Var(&f.rate, "rate", 50, "requests a second; where an overload begins")
	flags.DurationVar(&f.calm, "calm", 10*time.Second, "load before the disturbance and after all is well again")
	flags.DurationVar(
		&f.duration,
		"duration",
		0,
		"how long the disturbance stands; by default its bound and 10 s. Of an overload: how long a step lasts, 5 s by default",
	)
	flags.StringVar(&f.named, "confirm", "", "the application's name, in place of typing it, with --on aws")
}

func experimentAndDir(args []string) (drill.Experiment, string, error) {
	names := make([]string, len(drill.Experiments))
	for i, e := range drill.Experiments {
		names[i] = string(e)
	}
	if len(args) == 0 || !slices.Contains(names, args[0]) {
		return "", "", diag.List{
			{
				Where:   "aloft drill",
				Summary: "no experiment is named",
				Detail:  "there are: " + strings.Join(names, ", "),
				Hint:    "aloft drill zone",
			},
		}
	}
	return drill.Experiment(args[0]), folder(args[1:]), nil
}

func (f drillFlags) check() error {
	var problems diag.List
	if f.rate <= 0 || f.rate > 100_000 {
		problems.Add("--rate", "50 is the default", "expected 0 to 100000 requests a second, got %g", f.rate)
	}
	if f.calm < time.Second || f.duration < 0 {
		problems.Add("--calm, --duration", "", "a drill needs a second of calm, and a time that is not below zero")
	}
	return problems.Err()
}

func (a *app) drillOnce(ctx context.Context, dir string, e drill.Experiment, f drillFlags) (err error) {
	if err := f.check(); err != nil {
		return err
	}
	tell := a.drillTeller()
	d, err := a.open(ctx, dir, false, tell.Event)
	if err != nil {
		return err
	}
	if err := a.confirmDrill(d.spec.App, f.named); err != nil {
		return err
	}
	result, err := a.drillHere(ctx, d, e, f, tell)
	if err := joined(err, tell.Close()); err != nil {
		return err
	}
	return a.drillResult(result, f.svg)
}

// drillHere runs one drill of a deployment that was opened.
func (a *app) drillHere(
	ctx context.Context,
	d *deployment,
	e drill.Experiment,
	f drillFlags,
	tell *drillScreen,
) (drill.Result, error) {
	status, err := a.ready(ctx, d, e)
	if err != nil {
		return drill.Result{}, err
	}
	return a.drill(d, tell.Event).Run(ctx, status, drill.Options{
		Experiment: e, At: f.at, Rate: f.rate, Calm: f.calm, Duration: f.duration, Force: f.force,
		Settings: settingsOf(d.spec), Live: tell.live(),
	})
}

// settingsOf are those that decide for how long users may see a failure.
func settingsOf(s *spec.Spec) report.Settings {
	h := s.LoadBalancer.Health
	return report.Settings{
		Interval: h.Interval, Timeout: h.Timeout, Unhealthy: h.Unhealthy, Healthy: h.Healthy,
		Zones: len(
			s.Network.Subnets,
		), Targets: s.Machines.Count, DeregistrationDelay: s.LoadBalancer.DeregistrationDelay,
	}
}

// ready tells whether the deployment may be drilled: it serves and is as its spec
// says, as far as the drill relies on that.
func (a *app) ready(ctx context.Context, d *deployment, e drill.Experiment) (*apply.Status, error) {
	if err := a.afterDrill(ctx, d, mends); err != nil {
		return nil, err
	}
	status, err := d.deployed(ctx)
	if err != nil {
		return nil, err
	}
	if status.URL == "" || status.TargetGroupARN == "" {
		return nil, diag.List{{Where: d.spec.App, Summary: "does not serve yet", Hint: "aloft up goes on"}}
	}
	if e != drill.Instance {
		return status, nil
	}
	// aloft up fills the place; it should do nothing else then.
	p, err := d.Plan(ctx)
	if err == nil && !p.Empty() {
		err = diag.List{
			{
				Where:   d.spec.App,
				Summary: "is not as its spec says, so filling the server's place would change more",
				Hint:    "aloft plan shows it; aloft up does it",
			},
		}
	}
	return status, err
}

// confirmDrill asks for the application's name before something real is broken.
func (a *app) confirmDrill(app, named string) error {
	if a.on != "aws" || named == app {
		return nil
	}
	if named == "" {
		if in, ok := a.In.(*os.File); ok && isTerminal(in) {
			_, _ = fmt.Fprintf(
				a.Err,
				"This drill breaks %s on AWS while its users use it.\nType the application's name to go on: ",
				app,
			)
		}
		named, _ = bufio.NewReader(a.In).ReadString('\n') // what was not typed is not the name
		named = strings.TrimSpace(named)
	}
	if named != app {
		return diag.List{
			{
				Where:   app,
				Summary: "the drill was not confirmed; nothing was changed",
				Hint:    "type the application's name, or add --confirm " + app,
			},
		}
	}
	return nil
}

func (a *app) drillRestore(ctx context.Context, dir string, force bool) (err error) {
	tell := newOnce(a.teller)
	defer func() { err = joined(err, tell.Close()) }()
	d, err := a.open(ctx, dir, false, tell.Event)
	if err != nil {
		return err
	}
	c, err := a.drill(d, tell.Event).Restore(ctx, force)
	if err != nil {
		return err
	}
	if a.json {
		return view.JSON(a.Out, map[string]any{"app": d.spec.App, "restored": c})
	}
	text := "Nothing is left of a drill."
	if c != nil {
		text = fmt.Sprintf("What the drill (%s of %s) changed is put back.", c.Experiment, c.At)
	}
	_, _ = fmt.Fprintf(a.Out, "%s %s\n", a.style(a.Out).Good("✓"), text)
	return nil
}
