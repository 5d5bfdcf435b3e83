//go:build linux

package torture

import (
	"context"
	"fmt"
	"regexp"
	"testing"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/test/simulation"
)

// TestKilledRunsNeverLoseTheApplication kills one run after another, at random changes: up,
// release, rollback, down and a change of the environment. Whatever a dead run leaves, the next up completes it.
func TestKilledRunsNeverLoseTheApplication(t *testing.T) {
	random, app, current := random(t, 6), simulation.NewApplication(t), "r1"
	for n := range *runKillsFlag {
		next, work := fmt.Sprintf("r%d", n+2), simulation.RunUp
		switch random.IntN(5) {
		case 0:
			work = rollback
		case 1:
			work = down
		case 2:
			work = setEnvironment(fmt.Sprint(n))
		}
		fatal := app.KillAtChange(t, 1+random.IntN(60), &simulation.Builder{ReleaseName: next}, work)
		if random.IntN(2) == 0 {
			current = next
		}
		app.Release(t, current)
		app.Serves(t, current)
		if t.Failed() {
			t.Fatalf("after run %d, killed at %q", n+1, fatal)
		}
		if fatal != "" {
			recorded.Add(func(r *Report) { r.Kills++ })
		}
	}
	simulation.Removed(t, app.Cloud, app.Deployment(t, &simulation.Builder{ReleaseName: current}))
}

// noRelease matches the refusals of a rollback that has nothing to go back to: down deletes images
// and the environments of releases too.
var noRelease = regexp.MustCompile(
	`no other release came into service before|has no image left|` +
		`its environment, version \d+ of the parameter, is gone`,
)

// rollback goes back to the release before, if there is one.
func rollback(ctx context.Context, d *apply.Deployment) error {
	_, _, err := d.Rollback(ctx, "")
	if err != nil && noRelease.MatchString(err.Error()) {
		return nil
	}
	return err
}

func down(ctx context.Context, d *apply.Deployment) error {
	return d.Down(ctx, apply.DownOptions{Images: true})
}

// setEnvironment changes a variable.
func setEnvironment(value string) func(context.Context, *apply.Deployment) error {
	return func(ctx context.Context, d *apply.Deployment) error {
		_, _, err := d.SetEnvironment(ctx, func(set map[string]string) error {
			set["TORTURE"] = value
			return nil
		})
		return err
	}
}
