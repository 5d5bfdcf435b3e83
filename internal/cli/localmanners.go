package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/view"
)

// mannersChange is what a command line changes of the local cloud's manners. What is
// nil stays.
type mannersChange struct {
	manners   []manners.Manner
	seed      *uint64
	timeScale *float64
}

// empty reports whether nothing changes.
func (c mannersChange) empty() bool { return c.manners == nil && c.seed == nil && c.timeScale == nil }

// of returns the settings after the change.
func (c mannersChange) of(settings manners.Settings) manners.Settings {
	if c.manners != nil {
		settings.Manners = c.manners
	}
	if c.seed != nil {
		settings.Seed = *c.seed
	}
	if c.timeScale != nil {
		settings.TimeScale = *c.timeScale
	}
	return settings
}

// mannersFlags are the flags about manners.
type mannersFlags struct {
	seed      uint64
	timeScale float64
}

func (f *mannersFlags) register(flags *pflag.FlagSet) {
	defaults := manners.Default()
	flags.Uint64Var(&f.seed, "seed", defaults.Seed, "decides what happens when, so that it can happen again")
	flags.Float64Var(&f.timeScale, "time-scale", defaults.TimeScale,
		"multiplies all of AWS's durations: 0.1 makes ten minutes one")
}

// change returns what a command line changes. list is "" if the command line names
// no manners.
func (f *mannersFlags) change(list string, flags *pflag.FlagSet) (mannersChange, error) {
	var change mannersChange
	var problems diag.List
	if list != "" {
		on, err := manners.Parse(list)
		if err != nil {
			problems.Add("--manners "+list, "use aws, kind or a list of: "+mannerNames(manners.All()), "%v", err)
		}
		change.manners = on
	}
	if flags.Changed("seed") {
		change.seed = &f.seed
	}
	if flags.Changed("time-scale") {
		if !(f.timeScale > 0) || math.IsInf(f.timeScale, 0) {
			problems.Add(fmt.Sprintf("--time-scale %v", f.timeScale), "for example: --time-scale 0.1",
				"is not a number above 0")
		}
		change.timeScale = &f.timeScale
	}
	return change, problems.Err()
}

func mannerNames(list []manners.Manner) string {
	names := make([]string, len(list))
	for i, m := range list {
		names[i] = string(m)
	}
	return strings.Join(names, ",")
}

type localMannersOptions struct {
	*global
	change mannersChange
}

func newLocalMannersCommand(g *global, run func(context.Context, *localMannersOptions) error) *cobra.Command {
	o := &localMannersOptions{global: g}
	var flags mannersFlags
	c := &cobra.Command{
		Use:   "manners [aws|kind|LIST]",
		Short: "Show or change how closely the running local cloud behaves as AWS does",
		Long: `A kind local cloud is instant, consistent and unlimited. AWS is not: with manners, the
local cloud shows what a deployment meets there. LIST is a comma-separated list of
manners, aws means all, kind means none. What is not given stays as it is. A restart
keeps it, and a reset makes the local cloud kind.`,
		Example: `  sudo aloft local manners
  sudo aloft local manners aws --seed 7 --time-scale 0.1
  sudo aloft local manners times,load
  sudo aloft local manners kind`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) (err error) {
			if o.change, err = flags.change(strings.Join(args, ""), c.Flags()); err != nil {
				return err
			}
			return run(c.Context(), o)
		},
	}
	flags.register(c.Flags())
	return c
}

func runLocalManners(ctx context.Context, o *localMannersOptions) error {
	layout, err := o.layout()
	if err != nil {
		return err
	}
	running, err := findDaemon(layout)
	if errors.Is(err, host.ErrNotRunning) {
		return diag.List{{
			Where:   "local cloud",
			Summary: "is not running",
			Hint:    "sudo aloft local start --manners aws" + o.cloudFlags(),
			Cause:   err,
		}}
	}
	if err != nil {
		return err
	}
	if err := o.changeManners(ctx, running, layout, o.change); err != nil {
		return err
	}
	status, err := running.Status(ctx)
	if err != nil {
		return err
	}
	if o.json {
		return view.JSON(o.Out, status.Manners)
	}
	o.printManners(status.Manners)
	return nil
}

// changeManners makes a running local cloud behave differently.
func (g *global) changeManners(
	ctx context.Context, running host.Daemon, layout host.Layout, change mannersChange,
) error {
	if change.empty() {
		return nil
	}
	if err := g.requireSameVersion(running); err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return needsRoot(os.ErrPermission, "run the same command with sudo")
	}
	settings, err := host.ReadManners(layout)
	if err != nil {
		return err
	}
	return running.UseManners(ctx, layout, change.of(settings))
}

// recordManners records the manners of a local cloud that does not run yet.
func recordManners(layout host.Layout, change mannersChange) error {
	if change.empty() {
		return nil
	}
	settings, err := host.ReadManners(layout)
	if err != nil {
		return err
	}
	return host.WriteManners(layout, change.of(settings))
}

// printManners prints which manners the local cloud has, and what all of them are.
func (g *global) printManners(settings manners.Settings) {
	style := g.style(g.Out)
	_, _ = fmt.Fprintln(g.Out, mannersLine(settings))
	on := map[manners.Manner]string{}
	for _, m := range settings.Manners {
		on[m] = "on"
	}
	rows := [][]string{{"MANNER", "", "WHAT THE CLOUD DOES", "SOURCE"}}
	for _, d := range manners.Descriptions() {
		rows = append(rows, []string{string(d.Manner), on[d.Manner], d.What, d.Source})
	}
	style.Table(g.Out, rows)
}

// noteManners says after a start that the local cloud is not kind, because it keeps
// the manners that an earlier command gave it.
func (g *global) noteManners(layout host.Layout) {
	if settings, err := host.ReadManners(layout); err == nil && len(settings.Manners) > 0 {
		_, _ = fmt.Fprintln(g.Err, "  "+mannersLine(settings))
	}
}

// mannersLine describes settings in one line.
func mannersLine(settings manners.Settings) string {
	if len(settings.Manners) == 0 {
		return "The local cloud is kind: instant, consistent and unlimited."
	}
	list := strings.ReplaceAll(mannerNames(settings.Manners), ",", ", ")
	if len(settings.Manners) == len(manners.All()) {
		list = "all"
	}
	return fmt.Sprintf("The local cloud has manners of AWS: %s (seed %d, time scale %g).",
		list, settings.Seed, settings.TimeScale)
}
