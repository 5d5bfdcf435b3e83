package apply

import (
	"context"
	"maps"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/environment"
	"aloft.dev/aloft/internal/history"
)

// Environment returns the environment that is stored, which servers read at their start.
// It is empty if there is none.
func (d *Deployment) Environment(ctx context.Context) (environment.Environment, error) {
	e, err := d.cloud.Environment(ctx, 0)
	if awsapi.IsNotFound(err) {
		return environment.Environment{}, nil
	}
	if err != nil {
		return environment.Environment{}, explain("environment", err)
	}
	return *e, nil
}

// SetEnvironment changes what aloft env has set, and brings the serving release into
// service with it, like any other release, but builds nothing and does not read the source.
// edit changes the variables and may refuse to. SetEnvironment returns the names that
// changed; if nothing serves yet, the status is nil, and the next Up uses the variables.
func (d *Deployment) SetEnvironment(
	ctx context.Context, edit func(set map[string]string) error,
) (status *Status, changed []string, err error) {
	serves := false
	err = d.locked(ctx, func(ctx context.Context, tookOver bool) error {
		all, err := d.history.List(ctx)
		if err != nil {
			return err
		}
		if open := history.Unfinished(all); open != nil {
			return &diag.Diagnostic{
				Where:   "release " + open.Release,
				Summary: "is " + string(open.Result) + ", in a run that was interrupted",
				Hint:    "aloft up completes it; then run the same command again",
			}
		}
		stored, err := d.Environment(ctx)
		if err != nil {
			return err
		}
		wanted := stored
		wanted.Version, wanted.Set = 0, maps.Clone(stored.Set)
		if wanted.Set == nil {
			wanted.Set = map[string]string{}
		}
		if err := edit(wanted.Set); err != nil {
			return err
		}
		changed = environment.Changed(stored, wanted)
		current := history.Current(all)
		serves = current != nil
		switch {
		case len(changed) == 0:
			return nil
		case current == nil:
			return d.storeEnvironment(ctx, &wanted)
		}
		return d.deployEnvironment(ctx, *current, wanted, tookOver)
	})
	if err != nil || !serves {
		return nil, changed, err
	}
	status, err = d.Status(ctx)
	return status, changed, err
}

// deployEnvironment brings the serving release into service with another environment.
func (d *Deployment) deployEnvironment(
	ctx context.Context, current history.Record, e environment.Environment, tookOver bool,
) error {
	s, err := d.surveyLocked(ctx, d.goalOf(current, e), tookOver)
	if err != nil {
		return err
	}
	if err := s.checkPlan(ctx, d.keys); err != nil {
		return err
	}
	if !hasImage(s.found, current.Release) {
		return &diag.Diagnostic{
			Where: "release " + current.Release, Summary: "has no image left, so no server can be launched with it",
			Hint: "run aloft up, which makes another; then run the same command again",
		}
	}
	return d.deploy(ctx, s)
}
