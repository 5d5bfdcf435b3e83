//go:build linux

package manners

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/test/simulation"
)

// killSeed is the seed of the clouds on which runs are killed.
const killSeed = 1

// killed returns an attempt for simulation.KillAtEveryChange on clouds with all
// manners: it kills work at the nth change, and then calls then. The cloud is kind
// during before.
func killed(
	before func(t *testing.T, j *journey),
	work func(context.Context, *apply.Deployment) error,
	then func(t *testing.T, j *journey),
) func(t *testing.T, n int) string {
	return func(t *testing.T, n int) (fatal string) {
		keys := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			j := begin(t, simulation.Tutorial(t), manners.Settings{}, keys)
			before(t, j)
			j.Manners.Use(manners.Settings{Manners: manners.All(), Seed: killSeed})
			b := &simulation.Builder{ReleaseName: "r1"}
			fatal = simulation.KillAtChange(t, n, func(
				ctx context.Context, around func(http.RoundTripper) http.RoundTripper,
			) error {
				return work(ctx, simulation.Deployment(t, j.Client(t, around), j.spec, b, j.keys, slowly))
			})
			then(t, j)
		})
		return fatal
	}
}

// TestKilledUpIsCompleted kills the first up after every change that it makes. The
// next up completes the deployment.
func TestKilledUpIsCompleted(t *testing.T) {
	simulation.KillAtEveryChange(t, 20, killed(
		func(*testing.T, *journey) {},
		simulation.RunUp,
		func(t *testing.T, j *journey) { j.up(t, "r1") },
	))
}

// TestKilledDownIsCompleted kills a down after every change that it makes. The next
// down leaves nothing.
func TestKilledDownIsCompleted(t *testing.T) {
	simulation.KillAtEveryChange(t, 10, killed(
		func(t *testing.T, j *journey) { j.up(t, "r1") },
		func(ctx context.Context, d *apply.Deployment) error {
			return d.Down(ctx, apply.DownOptions{Images: true})
		},
		func(t *testing.T, j *journey) { j.down(t, "r1") },
	))
}
