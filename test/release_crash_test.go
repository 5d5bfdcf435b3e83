package e2e

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/history"
)

// killed runs up, or what else work does, of a release with a client that is
// killed at the nth change, and tells at which call.
func (s *site) killed(t *testing.T, n int, b *installer, work func(context.Context, *apply.Deployment) error) string {
	return killedAt(t, n, func(ctx context.Context, around func(http.RoundTripper) http.RoundTripper) error {
		return work(ctx, deployment(t, s.client(t, around), s.spec, b, s.keys))
	})
}

func ups(ctx context.Context, d *apply.Deployment) error {
	_, err := d.Up(ctx)
	return err
}

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
	everyKill(t, 30, func(t *testing.T, n int) string {
		s, b := newSite(t), &installer{release: "r2"}
		fatal := s.killed(t, n, b, ups)
		up(t, s.of(t, b))
		s.serves(t, "r2")
		if got := s.results(t); got != "r1 released, r2 released" {
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
		s := newSite(t)
		fatal := s.killed(t, first+3*(n-1), &installer{release: "r2"}, ups)
		s.release(t, wanted)
		s.serves(t, wanted)
		return fatal
	}
}

func TestAReleaseKilledInAnyPhaseIsGoneBackFromWhenTheOneBeforeIsWanted(t *testing.T) {
	t.Parallel()
	everyKill(t, 10, overtaken(2, "r1"))
}

func TestAReleaseKilledInAnyPhaseGivesWayToAThird(t *testing.T) {
	t.Parallel()
	everyKill(t, 10, overtaken(1, "r3"))
}

// takenBack is a case of everyKill: a release that fails is killed, and the next
// run takes it back.
func takenBack(spoil func(s *site, b *installer)) func(t *testing.T, n int) string {
	return func(t *testing.T, n int) string {
		s, b := newSite(t), &installer{release: "r2"}
		spoil(s, b)
		fatal := s.killed(t, n, b, fails)
		if err := fails(t.Context(), s.of(t, b)); err != nil {
			t.Fatal(err)
		}
		s.serves(t, "r1")
		return fatal
	}
}

func TestAReleaseThatFailsAndIsKilledAfterAnyCallIsTakenBackByTheNext(t *testing.T) {
	t.Parallel()
	everyKill(t, 20, takenBack(func(s *site, _ *installer) {
		s.ails("r2")
		s.spec.Release.Bake = 5 * time.Second // it ends before
	}))
}

func TestAReleaseThatCannotBeMadeAndIsKilledAfterAnyCallLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	everyKill(t, 10, takenBack(func(_ *site, b *installer) { b.err = errors.New("npm install failed") }))
}

func TestARollbackKilledAfterAnyCallIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	everyKill(t, 20, func(t *testing.T, n int) string {
		s := newSite(t)
		s.release(t, "r2")
		back := func(ctx context.Context, d *apply.Deployment) error {
			_, _, err := d.Rollback(ctx, "")
			return err
		}
		b := &installer{release: "r2"}
		fatal := s.killed(t, n, b, back)
		// One that had ended but for giving back its lock would go further back.
		if current := history.Current(s.history(t)); current.Release == "r2" {
			if err := back(t.Context(), s.of(t, b)); err != nil {
				t.Fatal(err)
			}
		}
		s.release(t, "r1") // which has nothing to do
		s.serves(t, "r1")
		if got := s.results(t); got != "r1 released, r2 rolled back, r1 released" {
			t.Error(got)
		}
		return fatal
	})
}
