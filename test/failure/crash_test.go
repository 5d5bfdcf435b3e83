//go:build linux

package failure

import (
	"testing"

	"aloft.dev/aloft/internal/cloud/store"
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

// TestUpTakesSubnetsFromADuplicateRouteTable: a killed run created a route table that the next run
// did not see yet. That run created another, associated the subnets with it, and was killed too. Which
// of the two the third run keeps is up to their ids.
func TestUpTakesSubnetsFromADuplicateRouteTable(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"rtb-00000000000000000", "rtb-fffffffffffffffff"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			s := simulation.NewApplication(t)
			s.Release(t, "r1")
			if err := s.Store.Update(func(tx *store.Tx) error {
				for _, table := range store.RouteTables.List(tx) {
					if table.Tags["aloft:app"] == "" {
						continue
					}
					twin := *table
					twin.ID = id
					twin.Associations = nil
					store.RouteTables.Put(tx, &twin)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			s.Release(t, "r1")
			simulation.EverythingOnce(t, s.Cloud)
		})
	}
}
