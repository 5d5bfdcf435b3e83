//go:build linux

package failure

import (
	"testing"

	"aloft.dev/aloft/test/simulation"
)

func TestUpConvergesAfterKill(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(
		t, 40, simulation.KillUp(nil, simulation.Tutorial, [2]string{"", "r1"}, simulation.Converges),
	)
}

func TestDownConvergesAfterKill(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(t, 15, simulation.KillDown(simulation.Tutorial))
}

func TestDownAfterKilledUpLeavesNothing(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(
		t, 40, simulation.KillUp(nil, simulation.Tutorial, [2]string{"", "r1"}, simulation.Removed),
	)
}
