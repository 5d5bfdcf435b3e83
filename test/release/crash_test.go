//go:build linux

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

// fails brings up a release and returns an error unless the release fails and is
// rolled back.
func fails(ctx context.Context, d *apply.Deployment) error {
	_, err := d.Up(ctx)
	var f *apply.Failure
	if errors.As(err, &f) {
		return nil
	}
	return errors.Join(errors.New("the release was not rolled back"), err)
}

func TestReleaseConvergesAfterKill(t *testing.T) {
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

// overtaken returns an attempt that kills release r2 at every third change,
// beginning with first, and then brings another release into service. What follows
// a kill depends only on its phase, so every third change is enough.
func overtaken(first int, wanted string) func(t *testing.T, n int) string {
	return func(t *testing.T, n int) string {
		s := simulation.NewApplication(t)
		fatal := s.KillAtChange(t, first+3*(n-1), &simulation.Builder{ReleaseName: "r2"}, simulation.RunUp)
		s.Release(t, wanted)
		s.Serves(t, wanted)
		return fatal
	}
}

func TestKilledReleaseGivesWayToThePreviousOne(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(t, 10, overtaken(2, "r1"))
}

func TestKilledReleaseGivesWayToAThird(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(t, 10, overtaken(1, "r3"))
}

// takenBack returns an attempt that kills a failing release; the next run rolls it
// back.
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

func TestKilledRollbackOfFailedReleaseIsCompletedByTheNext(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(t, 20, takenBack(func(s *simulation.Application, _ *simulation.Builder) {
		s.FailRelease("r2")
		s.Spec.Release.Bake = 5 * time.Second // the release fails earlier
	}))
}

func TestKilledReleaseThatCannotBeBuiltLeavesNothing(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(t, 10, takenBack(func(_ *simulation.Application, b *simulation.Builder) {
		b.BuildErr = errors.New("npm install failed")
	}))
}

func TestRollbackConvergesAfterKill(t *testing.T) {
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
		// A rollback that was complete but for releasing its lease would otherwise go
		// back one release further.
		if current := history.Current(s.History(t)); current.Release == "r2" {
			if err := back(t.Context(), s.Deployment(t, b)); err != nil {
				t.Fatal(err)
			}
		}
		s.Release(t, "r1") // has nothing to do
		s.Serves(t, "r1")
		if got := s.Results(t); got != "r1 released, r2 rolled back, r1 released" {
			t.Error(got)
		}
		return fatal
	})
}
