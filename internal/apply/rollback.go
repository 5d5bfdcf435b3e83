package apply

import (
	"context"
	"slices"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/plan"
)

// Rollback brings an earlier release back into service, zone by zone like any
// other: the one that name names, or when that is "", the last that was good
// before the one that serves. What is wanted besides is as the spec says now.
// Run again after it was stopped, it goes on.
func (d *Deployment) Rollback(ctx context.Context, name string) (*Status, *history.Record, error) {
	var to *history.Record
	err := d.locked(ctx, func(ctx context.Context, left bool) error {
		s, err := d.lookAgain(ctx, wish{spec: d.cfg.Spec}, left)
		if err != nil {
			return err
		}
		if _, err := d.finishGoingBack(ctx, s); isFatal(err) {
			return err
		}
		if to, err = s.goal(name); err != nil {
			return err
		}
		s, err = d.look(ctx, wish{spec: withSettings(d.cfg.Spec, to.Settings), release: to.Release, source: to.Source})
		if err != nil {
			return err
		}
		if err := s.refusals(d.site()); err != nil {
			return err
		}
		if !hasImage(s.found, to.Release) {
			return &diag.Diagnostic{
				Where:   "release " + to.Release,
				Summary: "has no image any more, so it cannot be gone back to",
				Hint:    "release.keep in aloft.yaml says how many are kept; to serve it again, check its source out and run aloft up",
			}
		}
		return d.bring(ctx, s)
	})
	if err != nil {
		return nil, nil, err
	}
	status, err := d.Status(ctx)
	return status, to, err
}

// isFatal tells of an error of going back that it did not come to its end.
func isFatal(err error) bool {
	_, ended := failed(err)
	return err != nil && !ended
}

// goal is the record that a rollback goes to.
func (s *survey) goal(name string) (*history.Record, error) {
	if name != "" {
		return history.Find(s.history, name)
	}
	if open := history.Unfinished(s.history); open != nil && open.Rollback {
		return open, nil // that run was stopped
	}
	current := history.Current(s.history)
	if current == nil {
		return nil, &diag.Diagnostic{
			Where:   s.spec.App,
			Summary: "has no release in its history that could be gone back to",
			Hint:    "aloft up makes the first",
		}
	}
	open := history.Unfinished(s.history)
	if open != nil && open.Result == history.InProgress {
		return current, nil // what was stopped is gone back from
	}
	if before := history.Previous(s.history, current.Release); before != nil {
		return before, nil
	}
	return nil, &diag.Diagnostic{
		Where:   "release " + current.Release,
		Summary: "serves, and no other was good before it",
		Hint:    "aloft releases lists what there was",
	}
}

// Release is a release as it is listed.
type Release struct {
	history.Record
	Serves   bool `json:"serves"`    // on a machine that gets requests
	HasImage bool `json:"has_image"` // so it can be gone back to
}

// Releases lists the releases, the oldest first.
func (d *Deployment) Releases(ctx context.Context) ([]Release, error) {
	all, err := d.history.List(ctx)
	if err != nil {
		return nil, explain("", err)
	}
	found, err := d.Discover(ctx)
	if err != nil {
		return nil, err
	}
	return listed(all, found), nil
}

func listed(all []history.Record, found []plan.Found) []Release {
	releases := make([]Release, len(all))
	serve := serving(found)
	last := map[string]int{} // the record by which a release serves
	for i, r := range all {
		if r.Result == history.Released || r.Open() {
			last[r.Release] = i
		}
		releases[i] = Release{Record: r, HasImage: hasImage(found, r.Release)}
		if id := imageID(found, r.Release); id != "" {
			releases[i].Image = id // which a release that failed did not come to write down
		}
	}
	for release, i := range last {
		releases[i].Serves = slices.Contains(serve, release)
	}
	return releases
}
