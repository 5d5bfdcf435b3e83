package cli

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/diag"
)

// mannersChange is the change that a command line makes to the local cloud's manners. What is
// nil stays.
type mannersChange struct {
	manners   []manners.Manner
	seed      *uint64
	timeScale *float64
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
