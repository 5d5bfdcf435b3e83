package release

import (
	"context"
	"errors"
	"testing"
	"time"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/test/simulation"
)

// fails is an up of a release that is to be taken back.
func fails(ctx context.Context, d *apply.Deployment) error {
	_, err := d.Up(ctx)
	var f *apply.Failure
	if errors.As(err, &f) {
		return nil
	}
	return errors.Join(errors.New("it was not taken back"), err)
}

func TestAReleaseKilledAfterAnyCallIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(t, 30, func(t *testing.T, n int) string {
		s, b := simulation.NewApplication(t), &simulation.Builder{ReleaseName: "r2"}
		fatal := s.KillAtChange(t, n, b, simulation.RunUp)
		simulation.Up(t, s.Deployment(t, b))
		s.Serves(t, "r2")
		if got := s.Results(t); got != "r1 released, r2 released" {
			t.Error(got)
		}
		return fatal
	})
}

// overtaken is a case of everyKill: a release is killed at every third change,
// from the first on, and the wanted one then serves. What is done after a kill
// differs by the phase that it happened in, so every third is enough.
func overtaken(first int, wanted string) func(t *testing.T, n int) string {
	return func(t *testing.T, n int) string {
		s := simulation.NewApplication(t)
		fatal := s.KillAtChange(t, first+3*(n-1), &simulation.Builder{ReleaseName: "r2"}, simulation.RunUp)
		s.Release(t, wanted)
		s.Serves(t, wanted)
		return fatal
	}
}

func TestAReleaseKilledInAnyPhaseIsGoneBackFromWhenTheOneBeforeIsWanted(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(t, 10, overtaken(2, "r1"))
}

func TestAReleaseKilledInAnyPhaseGivesWayToAThird(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(t, 10, overtaken(1, "r3"))
}

// takenBack is a case of everyKill: a release that fails is killed, and the next
// run takes it back.
func takenBack(spoil func(s *simulation.Application, b *simulation.Builder)) func(t *testing.T, n int) string {
	return func(t *testing.T, n int) string {
		s, b := simulation.NewApplication(t), &simulation.Builder{ReleaseName: "r2"}
		spoil(s, b)
		fatal := s.KillAtChange(t, n, b, fails)
		if err := fails(t.Context(), s.Deployment(t, b)); err != nil {
			t.Fatal(err)
		}
		s.Serves(t, "r1")
		return fatal
	}
}

func TestAReleaseThatFailsAndIsKilledAfterAnyCallIsTakenBackByTheNext(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(t, 20, takenBack(func(s *simulation.Application, _ *simulation.Builder) {
		s.FailRelease("r2")
		s.Spec.Release.Bake = 5 * time.Second // it ends before
	}))
}

func TestAReleaseThatCannotBeMadeAndIsKilledAfterAnyCallLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(t, 10, takenBack(func(_ *simulation.Application, b *simulation.Builder) { b.BuildErr = errors.New("npm install failed") }))
}

func TestARollbackKilledAfterAnyCallIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(t, 20, func(t *testing.T, n int) string {
		s := simulation.NewApplication(t)
		s.Release(t, "r2")
		back := func(ctx context.Context, d *apply.Deployment) error {
			_, _, err := d.Rollback(ctx, "")
			return err
		}
		b := &simulation.Builder{ReleaseName: "r2"}
		fatal := s.KillAtChange(t, n, b, back)
		// One that had ended but for giving back its lock would go further back.
		if current := history.Current(s.History(t)); current.Release == "r2" {
			if err := back(t.Context(), s.Deployment(t, b)); err != nil {
				t.Fatal(err)
			}
		}
		s.Release(t, "r1") // which has nothing to do
		s.Serves(t, "r1")
		if got := s.Results(t); got != "r1 released, r2 rolled back, r1 released" {
			t.Error(got)
		}
		return fatal
	})
}
