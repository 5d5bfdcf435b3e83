//go:build linux

package torture

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/test/simulation"
)

// TestKilledRunsNeverLoseTheApplication kills one run after another, at random changes: up,
// release, rollback and down. Whatever a dead run leaves, the next up completes it.
func TestKilledRunsNeverLoseTheApplication(t *testing.T) {
	random, app, current := random(t, 6), simulation.NewApplication(t), "r1"
	for n := range *runKillsFlag {
		next, work := fmt.Sprintf("r%d", n+2), simulation.RunUp
		switch random.IntN(4) {
		case 0:
			work = rollback
		case 1:
			work = down
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

// rollback goes back to the release before, if there is one.
func rollback(ctx context.Context, d *apply.Deployment) error {
	_, _, err := d.Rollback(ctx, "")
	if err != nil && strings.Contains(err.Error(), "no other release came into service before") {
		return nil
	}
	return err
}

func down(ctx context.Context, d *apply.Deployment) error {
	return d.Down(ctx, apply.DownOptions{Images: true})
}
