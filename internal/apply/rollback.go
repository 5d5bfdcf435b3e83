package apply

import (
	"context"
	"slices"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/plan"
)

// Rollback brings an earlier release back into service, like any other release. name
// is the release's number or the beginning of its content address; if it is "",
// Rollback chooses the last release that came into service before the one that
// serves. Everything else is deployed as the spec says now. Run again, it completes
// a rollback that was interrupted.
func (d *Deployment) Rollback(ctx context.Context, name string) (*Status, *history.Record, error) {
	var to *history.Record
	err := d.locked(ctx, func(ctx context.Context, tookOver bool) error {
		s, err := d.surveyLocked(ctx, goal{spec: d.cfg.Spec}, tookOver)
		if err != nil {
			return err
		}
		if _, err := d.resumeRollback(ctx, s); err != nil && !isFailure(err) {
			return err
		}
		if to, err = s.rollbackRecord(name); err != nil {
			return err
		}
		env, err := d.environmentOf(ctx, s, *to)
		if err != nil {
			return err
		}
		s, err = d.survey(ctx, goal{
			spec: withSettings(d.cfg.Spec, to.Settings), release: to.Release, source: to.Source, runtime: to.Runtime,
			rollback: true,
			given:    true, environment: env,
		})
		if err != nil {
			return err
		}
		if err := s.checkPlan(ctx, d.keys); err != nil {
			return err
		}
		if !hasImage(s.found, to.Release) {
			return &diag.Diagnostic{
				Where:   "release " + to.Release,
				Summary: "has no image left, so it cannot be rolled back to",
				Hint: "release.keep in aloft.yaml says how many are kept; " +
					"to serve it again, check its source out and run aloft up",
			}
		}
		return d.deploy(ctx, s)
	})
	if err != nil {
		return nil, nil, err
	}
	status, err := d.Status(ctx)
	return status, to, err
}

// rollbackRecord returns the record that a rollback returns to.
func (s *survey) rollbackRecord(name string) (*history.Record, error) {
	if name != "" {
		return history.Find(s.history, name)
	}
	open := history.Unfinished(s.history)
	if open != nil && open.Rollback {
		return open, nil // continue the interrupted rollback
	}
	current := history.Current(s.history)
	if current == nil {
		return nil, &diag.Diagnostic{
			Where:   s.spec.App,
			Summary: "has no release to roll back to",
			Hint:    "aloft up deploys the first one",
		}
	}
	if open != nil && open.Result == history.InProgress {
		return current, nil // roll the interrupted release back
	}
	if before := history.Previous(s.history, *current); before != nil {
		return before, nil
	}
	return nil, &diag.Diagnostic{
		Where:   "release " + current.Release,
		Summary: "serves, and no other release came into service before it",
		Hint:    "aloft releases lists all releases",
	}
}

// Release is a release as commands list it.
type Release struct {
	history.Record
	Serves   bool `json:"serves"`    // a server that receives requests runs it
	HasImage bool `json:"has_image"` // a rollback can return to it
}

// Releases returns the releases, the oldest first.
func (d *Deployment) Releases(ctx context.Context) ([]Release, error) {
	all, err := d.history.List(ctx)
	if err != nil {
		return nil, explain("", err)
	}
	found, err := d.Discover(ctx)
	if err != nil {
		return nil, err
	}
	return releasesOf(all, found), nil
}

func releasesOf(all []history.Record, found []plan.Found) []Release {
	releases := make([]Release, len(all))
	serving := servingReleases(found)
	last := map[string]int{} // index of the record by which a release serves
	for i, r := range all {
		if r.Result == history.Released || r.Open() {
			last[r.Release] = i
		}
		releases[i] = Release{Record: r, HasImage: hasImage(found, r.Release)}
		if id := imageID(found, r.Release); id != "" {
			releases[i].Image = id // a release that failed may not have recorded it
		}
	}
	for release, i := range last {
		releases[i].Serves = slices.Contains(serving, release)
	}
	return releases
}
