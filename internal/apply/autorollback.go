package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// Failure is the error of a release that failed and was rolled back: the release
// before it serves.
type Failure struct {
	Release string
	Number  int // of its record
	List    diag.List
}

// Error returns the problems.
func (f *Failure) Error() string { return f.List.Error() }

// Unwrap returns the problems.
func (f *Failure) Unwrap() error { return f.List }

// rollBackFailed ends a release that failed: it collects evidence and restores the
// release before it. It returns a *Failure once that serves.
func (d *Deployment) rollBackFailed(ctx context.Context, s *survey, r *history.Record, cause error) error {
	problems := explain("release "+r.Release, cause)
	problems[0].Detail = strings.Join(d.evidence(ctx, s, r, problems[0]), "\n")
	problems[0].Hint = ""
	r.Reason = reasonOf(problems)
	if r.Touched.IsZero() { // nothing was replaced yet
		if err := d.deleteTransient(ctx); err != nil {
			return rollbackIncomplete(problems, err)
		}
		if err := d.restoreEnvironment(ctx, s, r); err != nil {
			return rollbackIncomplete(problems, err)
		}
		if err := d.closeRecord(ctx, s, r, history.Failed); err != nil {
			return rollbackIncomplete(problems, err)
		}
		return failure(s, r, problems)
	}
	r.Result = history.RollingBack
	if version, err := d.environmentVersion(ctx, s); err == nil {
		r.Settings.Environment = version // by which the next run knows what failed
	}
	if err := d.updateRecord(ctx, s, *r); err != nil {
		return rollbackIncomplete(problems, err)
	}
	if err := d.restoreBefore(ctx, s, r); err != nil {
		return rollbackIncomplete(problems, err)
	}
	return failure(s, r, problems)
}

// rollbackIncomplete returns the problems of a release that failed, and why the
// release before it could not be restored yet.
func rollbackIncomplete(problems diag.List, err error) error {
	more := explain("", err)
	more[0].Hint = "run aloft up again: it resumes the rollback"
	return append(problems, more...)
}

func failure(s *survey, r *history.Record, problems diag.List) error {
	before, text := history.Get(s.history, r.Before), "serves as before"
	if !r.Touched.IsZero() {
		text = "was restored and serves"
	}
	name := "what served before"
	switch {
	case before == nil:
	case before.Release == r.Release:
		name = "the environment from before"
	default:
		name = "release " + before.Release
	}
	problems = append(problems, &diag.Diagnostic{
		Where:   fmt.Sprintf("release %s (%d)", r.Release, r.Number),
		Summary: fmt.Sprintf("failed; %s %s", name, text),
		Hint:    "fix what failed, then run aloft up again; aloft releases lists what happened",
	})
	return &Failure{Release: r.Release, Number: r.Number, List: problems}
}

// isFailure reports whether err is a *Failure.
func isFailure(err error) bool {
	var f *Failure
	return errors.As(err, &f)
}

// resumeRollback continues the rollback of a failed release that an interrupted run
// left. It reports whether it has rolled back. If the failed release is the desired
// one, it returns its failure again.
func (d *Deployment) resumeRollback(ctx context.Context, s *survey) (rolledBack bool, err error) {
	open := history.Unfinished(s.history)
	if open == nil || open.Result != history.RollingBack {
		return false, nil
	}
	d.notify(open.Release, "failed in an earlier run that was interrupted: resuming the rollback")
	problems := diag.List{{Where: "release " + open.Release, Summary: open.Reason}}
	same, err := d.isDesired(ctx, s, *open)
	if err != nil {
		return false, rollbackIncomplete(problems, err)
	}
	if err := d.restoreBefore(ctx, s, open); err != nil {
		return false, rollbackIncomplete(problems, err)
	}
	if same {
		return true, failure(s, open, problems)
	}
	return true, nil
}

// restoreBefore deploys the release that served before r, with its settings.
func (d *Deployment) restoreBefore(ctx context.Context, s *survey, r *history.Record) error {
	before := history.Get(s.history, r.Before)
	if before == nil {
		return fmt.Errorf("roll back release %s: record %d of the release before it is gone", r.Release, r.Before)
	}
	d.notify(before.Release, "is being restored")
	found, err := d.Discover(ctx)
	if err != nil {
		return err
	}
	env, err := d.environmentOf(ctx, s, *before)
	if err != nil {
		return err
	}
	restored := *s
	restored.goal = goal{
		spec: withSettings(s.spec, before.Settings), release: before.Release, given: true, environment: env,
	}
	restored.found, restored.facts.Release = found, before.Release
	restored.setEnvironment(d.cloud.Salt)
	restored.steps = stepsTo(found, before.Release, before.Settings.Port, true, false)
	if slices.ContainsFunc(restored.steps, func(st step) bool { return st.phase != stack.PhaseServe }) {
		return &diag.Diagnostic{
			Where:   "release " + before.Release,
			Summary: "has no image left, so it cannot be restored",
			Hint:    "fix the release and run aloft up again",
		}
	}
	if err := d.applySteps(ctx, &restored, restored.steps); err != nil {
		return err
	}
	return d.closeRecord(ctx, s, r, history.Failed)
}

// deleteTransient deletes the builder and the candidate, and revokes temporary
// access to them.
func (d *Deployment) deleteTransient(ctx context.Context) error {
	found, err := d.Discover(ctx)
	if err != nil {
		return err
	}
	p := &plan.Plan{}
	for _, f := range found {
		if stack.Transient(f.Address) {
			p.Changes = append(p.Changes, plan.Deletion(f, ""))
		}
	}
	for _, f := range found {
		if f.Kind == stack.KindSecurityGroup {
			if err := d.cloud.RevokeTemporary(ctx, f); err != nil {
				return err
			}
		}
	}
	return d.runTasks(ctx, "clean up", newGraph(d.provisioner(), nil, p).tasks)
}

// reasonOf returns the cause of a failure in one line.
func reasonOf(problems diag.List) string {
	texts := make([]string, len(problems))
	for i, d := range problems {
		texts[i] = d.Error()
	}
	return strings.Join(texts, "; ")
}
