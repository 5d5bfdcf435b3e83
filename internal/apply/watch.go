package apply

import (
	"context"
	"strings"
	"sync"
	"time"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/resource"
	"aloft.dev/aloft/internal/stack"
)

// watched runs work, which brings a release into service, and meanwhile checks the
// health of the release's servers and the errors that users see. If a check fails,
// it cancels work and returns the problem. It checks once more after work.
func (d *Deployment) watched(
	ctx context.Context,
	r *history.Record,
	work func(context.Context, *releaseWatch) error,
) error {
	under, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := &releaseWatch{
		record: r, discover: d.Discover, metrics: d.cloud.CW, events: d.cfg.Events, poll: d.cfg.Poll,
		healthy: map[string]bool{},
	}
	var checks sync.WaitGroup
	checks.Go(func() {
		ticker := time.NewTicker(w.poll)
		defer ticker.Stop()
		for {
			select {
			case <-under.Done():
				return
			case <-ticker.C:
			}
			if problem := w.check(under); problem != nil {
				cancel(problem)
				return
			}
		}
	})
	err := work(under, w)
	//nolint:errorlint // the cause is the problem itself
	if problem, ok := context.Cause(under).(*diag.Diagnostic); ok && ctx.Err() == nil {
		err = problem
	}
	cancel(nil)
	checks.Wait()
	if err == nil {
		if problem := w.check(ctx); problem != nil {
			err = problem
		}
	}
	return err
}

// releaseWatch watches one release.
type releaseWatch struct {
	record   *history.Record
	discover func(context.Context) ([]plan.Found, error)
	metrics  resource.CW
	events   event.Sink
	poll     time.Duration // between two checks

	healthy map[string]bool // instances that have been healthy
	blind   bool            // a note said that errors cannot be watched

	mu     sync.Mutex
	oldest time.Duration // age of the newest measured minute, at the check at which it was oldest
}

// check returns a problem if the release does not serve well. What cannot be read
// now is read by the next check.
func (w *releaseWatch) check(ctx context.Context) *diag.Diagnostic {
	found, err := w.discover(ctx)
	if err != nil {
		return nil
	}
	if problem := w.checkHealth(found); problem != nil {
		return problem
	}
	return w.checkErrors(ctx, found)
}

// checkHealth returns a problem if a server of the release has been healthy and is
// not any longer.
func (w *releaseWatch) checkHealth(found []plan.Found) *diag.Diagnostic {
	for _, f := range found {
		if !isServer(f) || f.Value(stack.AttrRelease) != w.record.Release {
			continue
		}
		unhealthy := f.Status.Health == "unhealthy"
		w.healthy[f.ID] = w.healthy[f.ID] || f.Status.Healthy()
		var reasons []string
		if unhealthy && (f.Broken != "" || w.healthy[f.ID]) {
			reasons = append(reasons, "it is unhealthy, "+f.Status.HealthReason)
		}
		if f.Broken != "" {
			reasons = append(reasons, f.Broken)
		}
		if len(reasons) > 0 {
			return &diag.Diagnostic{Where: f.Name, Summary: "does not stay healthy: " + strings.Join(reasons, "; ")}
		}
	}
	return nil
}
