package failure

import (
	"testing"

	"aloft.dev/aloft/test/simulation"
)

func TestAnUpKilledAfterAnyCallIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(t, 40, simulation.KillUp(nil, simulation.Tutorial, [2]string{"", "r1"}, simulation.Converges))
}

func TestADownKilledAfterAnyCallIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(t, 15, simulation.KillDown(simulation.Tutorial))
}

func TestDownAfterAnUpKilledAfterAnyCallLeavesNothing(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(t, 40, simulation.KillUp(nil, simulation.Tutorial, [2]string{"", "r1"}, simulation.Removed))
}
