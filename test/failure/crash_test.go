//go:build linux

package failure

import (
	"testing"

	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/test/simulation"
)

// alerted returns the tutorial with alerts, so that it has most kinds of resources.
func alerted(t *testing.T) *spec.Spec {
	s := simulation.Tutorial(t)
	s.Alerts = []string{"me@example.com", "you@example.com"}
	return s
}

func TestUpConvergesAfterKill(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(
		t, 40, simulation.KillUp(nil, alerted, [2]string{"", "r1"}, simulation.Converges),
	)
}

func TestDownConvergesAfterKill(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(t, 15, simulation.KillDown(alerted))
}

func TestDownAfterKilledUpLeavesNothing(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(
		t, 40, simulation.KillUp(nil, simulation.Tutorial, [2]string{"", "r1"}, simulation.Removed),
	)
}

func TestMoveToPrivateServersConvergesAfterKill(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(t, 25, simulation.KillUp(
		simulation.Tutorial, simulation.PrivateTutorial, [2]string{"r1", "r1"}, simulation.Converges,
	))
}

func TestDownOfPrivateServersConvergesAfterKill(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(t, 18, simulation.KillDown(simulation.PrivateTutorial))
}
