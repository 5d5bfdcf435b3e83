//go:build linux

package manners

import (
	"fmt"
	"testing"
	"testing/synctest"

	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/test/simulation"
)

// TestEnvironments gives deployments a role and variables, and changes these, on clouds
// that know new roles late and fail calls as AWS does.
func TestEnvironments(t *testing.T) {
	for seed := range uint64(4) {
		for _, mode := range modes {
			t.Run(fmt.Sprint(mode.name, "-", seed), func(t *testing.T) {
				t.Parallel()
				keys := t.TempDir()
				synctest.Test(t, func(t *testing.T) { changeEnvironments(t, mode.spec(t), seed, keys) })
			})
		}
	}
}

func changeEnvironments(t *testing.T, s *spec.Spec, seed uint64, keys string) {
	s.Env = map[string]string{"LEVEL": "info"}
	s.Secrets = map[string]string{"DB": "ssm:/shop/db"}
	j := begin(t, s, manners.Settings{Manners: manners.All(), Seed: seed}, keys)
	j.up(t, "r1")
	s.Env["LEVEL"] = "debug"
	j.up(t, "r1")
	_, changed, err := j.deployment(t, "r1").SetEnvironment(t.Context(), func(set map[string]string) error {
		set["TIER"] = "free"
		return nil
	})
	succeeded(t, err)
	if len(changed) != 1 {
		t.Errorf("changed %v", changed)
	}
	s.Env["LEVEL"] = "warn"
	j.up(t, "r2")
	_, _, err = j.deployment(t, "r2").Rollback(t.Context(), "")
	succeeded(t, err)
	j.down(t, "r2")
}

// TestKilledUpWithAnEnvironmentIsCompleted kills the first up after every third change.
func TestKilledUpWithAnEnvironmentIsCompleted(t *testing.T) {
	simulation.KillAtEveryChange(t, 8, func(t *testing.T, n int) string {
		return killed(
			func(_ *testing.T, j *journey) { j.spec.Env = map[string]string{"LEVEL": "info"} },
			simulation.RunUp,
			func(t *testing.T, j *journey) { j.up(t, "r1") },
		)(t, 3*n-2)
	})
}
