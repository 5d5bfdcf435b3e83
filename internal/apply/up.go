package apply

import (
	"context"

	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// Up deploys the spec and returns the status of the deployment. Run again, it
// completes a run that was interrupted, and changes nothing if there is nothing to
// do. Before it creates anything, it checks what would stop it in the middle. If
// something serves and another release is desired, Up releases it; if the release
// fails, Up rolls it back and returns a *Failure.
func (d *Deployment) Up(ctx context.Context) (*Status, error) {
	g := goal{spec: d.cfg.Spec, unprotect: d.cfg.Unprotect}
	s, err := d.survey(ctx, g)
	if err != nil {
		return nil, err
	}
	if s.plan.Empty() && s.recorded() {
		d.keepHostKeys(ctx, s.found) // of servers that have started since
		return d.statusOf(ctx, s.found)
	}
	if err := s.checkPlan(ctx, d.keys); err != nil {
		return nil, err
	}
	checks, err := d.preflight(ctx, s)
	if err == nil {
		err = checks.Err()
	}
	if err != nil {
		return nil, err
	}
	err = d.locked(ctx, func(ctx context.Context, tookOver bool) error {
		if s, err = d.surveyLocked(ctx, g, tookOver); err != nil {
			return err
		}
		if err := s.checkPlan(ctx, d.keys); err != nil {
			return err
		}
		rolledBack, err := d.resumeRollback(ctx, s)
		if err != nil {
			return err
		}
		if rolledBack {
			if s, err = d.survey(ctx, g); err != nil {
				return err
			}
		}
		return d.deploy(ctx, s)
	})
	if err != nil {
		return nil, err
	}
	return d.Status(ctx)
}

// recorded reports whether the history records the desired release as the one that
// serves, and has no unfinished release.
func (s *survey) recorded() bool {
	current := history.Current(s.history)
	return history.Unfinished(s.history) == nil && current != nil && current.Release == s.facts.Release
}

// applySteps applies the stacks of steps one after the other.
func (d *Deployment) applySteps(ctx context.Context, s *survey, steps []step) error {
	for _, step := range steps {
		desired, err := s.stackOf(step)
		if err != nil {
			return err
		}
		if s.found == nil {
			if s.found, err = d.Discover(ctx); err != nil {
				return err
			}
		}
		found := s.found
		s.found = nil
		if err := d.applyStack(ctx, s, desired, found); err != nil {
			return err
		}
	}
	return nil
}

// applyStack changes the found resources to match a stack.
func (d *Deployment) applyStack(ctx context.Context, s *survey, desired *stack.Stack, found []plan.Found) error {
	provisioner, p := d.provisioner(), plan.Diff(desired, found)
	provisioner.BaseImage = s.base
	for address, f := range p.Kept {
		provisioner.SetKnown(address, f)
	}
	return d.runTasks(ctx, desired.Phase.String(), newGraph(provisioner, desired, p).tasks)
}
