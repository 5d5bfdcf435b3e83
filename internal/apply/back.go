package apply

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// takeBack ends a release that failed: it looks why, and goes back to what
// served before. It gives a *Failure when that serves again.
func (d *Deployment) takeBack(ctx context.Context, s *survey, r *history.Record, why error) error {
	problems := explain("release "+r.Release, why)
	problems[0].Detail = strings.Join(d.evidence(ctx, s, r, problems[0]), "\n")
	problems[0].Hint = ""
	r.Reason = reason(problems)
	if r.Touched.IsZero() {
		if err := d.removeTransient(ctx); err != nil {
			return notBack(problems, err)
		}
		if err := d.end(ctx, s, r, history.Failed); err != nil {
			return notBack(problems, err)
		}
		return failure(s, r, problems)
	}
	r.Result = history.GoingBack
	if err := d.write(ctx, s, *r); err != nil {
		return notBack(problems, err)
	}
	if err := d.goBack(ctx, s, r); err != nil {
		return notBack(problems, err)
	}
	return failure(s, r, problems)
}

// notBack tells that a release failed and that what served before could not be
// brought back as yet.
func notBack(problems diag.List, err error) error {
	more := explain("", err)
	more[0].Hint = "run aloft up again: it goes on going back"
	return append(problems, more...)
}

func failure(s *survey, r *history.Record, problems diag.List) error {
	before, text := history.Get(s.history, r.Before), "serves as before"
	if !r.Touched.IsZero() {
		text = "was brought back, and serves"
	}
	name := "what served before"
	if before != nil {
		name = "release " + before.Release
	}
	problems = append(problems, &diag.Diagnostic{
		Where: fmt.Sprintf("release %s (%d)", r.Release, r.Number), Summary: fmt.Sprintf("failed; %s %s", name, text),
		Hint: "set right what failed, then run aloft up again; aloft releases lists what happened",
	})
	return &Failure{Release: r.Release, Number: r.Number, List: problems}
}

// finishGoingBack goes on with going back where an earlier run was stopped. When
// the release that failed is wanted again, it is told as it failed then.
func (d *Deployment) finishGoingBack(ctx context.Context, s *survey) (went bool, err error) {
	open := history.Unfinished(s.history)
	if open == nil || open.Result != history.GoingBack {
		return false, nil
	}
	d.note("failed in an earlier run, which was stopped: going back goes on", open.Release)
	if err := d.goBack(ctx, s, open); err != nil {
		return false, notBack(diag.List{{Where: "release " + open.Release, Summary: open.Reason}}, err)
	}
	if open.Release == s.facts.Release {
		return true, failure(s, open, diag.List{{Where: "release " + open.Release, Summary: open.Reason}})
	}
	return true, nil
}

// goBack makes the cloud as it was for the release before, and waits until that
// is so.
func (d *Deployment) goBack(ctx context.Context, s *survey, r *history.Record) error {
	before := history.Get(s.history, r.Before)
	if before == nil {
		return fmt.Errorf("go back from release %s: record %d of what served before is gone", r.Release, r.Before)
	}
	d.note("is brought back", before.Release)
	found, err := d.Discover(ctx)
	if err != nil {
		return err
	}
	back := *s
	back.wish = wish{spec: withSettings(s.spec, before.Settings), release: before.Release}
	back.found, back.facts.Release = found, before.Release
	back.steps = stepsTo(found, before.Release, before.Settings.Port, true)
	if i := slices.IndexFunc(back.steps, func(st step) bool { return st.phase != stack.PhaseServe }); i >= 0 {
		return &diag.Diagnostic{
			Where:   "release " + before.Release,
			Summary: "has no image any more, so it cannot be brought back",
			Hint:    "set the release right and run aloft up again",
		}
	}
	if err := d.carryOut(ctx, &back, back.steps); err != nil {
		return err
	}
	return d.end(ctx, s, r, history.Failed)
}

// removeTransient ends the builder and the candidate, and closes what was
// opened for work on them.
func (d *Deployment) removeTransient(ctx context.Context) error {
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
	site := d.site()
	for _, f := range found {
		if f.Kind == stack.KindSecurityGroup {
			if err := site.RevokeTemporary(ctx, f); err != nil {
				return err
			}
		}
	}
	return walk(ctx, newGraph(site, nil, p).tasks, d.cfg.Events)
}

// Of what a failed step printed, so many first and last lines are told with the
// evidence: a proof begins with its verdict, most other steps end with it.
const first, last = 2, 7

func ends(text string) []string {
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	if len(lines) > first+last {
		lines = slices.Concat(lines[:first], []string{"…"}, lines[len(lines)-last:])
	}
	return lines
}

// evidence gathers why a release failed: what the step said that failed, and how
// the machine is that it failed on, or one of the release.
func (d *Deployment) evidence(ctx context.Context, s *survey, r *history.Record, problem *diag.Diagnostic) []string {
	lines := ends(problem.Detail)
	found, err := d.Discover(ctx)
	if err != nil {
		return lines
	}
	site := d.site()
	site.BaseImage = s.base
	var machines []plan.Found
	for _, f := range found {
		if f.Address == stack.AddressKeyPair {
			site.Know(f.Address, f)
		}
		if (isMachine(f) || stack.Transient(f.Address)) && f.Get("release") == r.Release &&
			f.Get("state") == "running" {
			machines = append(machines, f)
		}
	}
	if len(machines) == 0 {
		return lines
	}
	worst := slices.MaxFunc(
		machines,
		func(a, b plan.Found) int { return suspicion(a, problem.Where) - suspicion(b, problem.Where) },
	)
	return append(lines, site.Evidence(ctx, worst)...)
}

// suspicion tells how likely a machine shows why a release failed.
func suspicion(f plan.Found, where string) int {
	switch {
	case f.Address == where || f.Name == where || f.ID == where:
		return 3
	case f.Broken != "" || f.Status["health"] == "unhealthy":
		return 2
	case f.Status["health"] != "healthy":
		return 1
	}
	return 0
}
