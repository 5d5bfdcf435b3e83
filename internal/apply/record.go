package apply

import (
	"context"
	"slices"
	"time"

	"aloft.dev/aloft/internal/history"
)

// beginRecord records that a release is being deployed, or returns the record of a
// run that was interrupted.
func (d *Deployment) beginRecord(ctx context.Context, s *survey) (*history.Record, error) {
	if open := history.Unfinished(s.history); open != nil {
		d.notify(s.facts.Release, "continues where an earlier run was interrupted")
		return open, nil
	}
	before, err := d.recordBefore(ctx, s)
	if err != nil {
		return nil, err
	}
	r := history.Record{
		Release:  s.facts.Release,
		Image:    imageID(s.found, s.facts.Release),
		Result:   history.InProgress,
		Before:   before.Number,
		Proven:   s.proven(),
		Settings: settingsOf(s.spec),
		Rollback: s.rollback,
		From:     s.promoted,
		Change:   s.environmentChange(),
	}
	if s.given && s.environment != nil {
		r.Settings.Environment = s.environment.Version // for the run that continues a rollback
	}
	if err := d.describe(s, &r); err != nil {
		return nil, err
	}
	d.notify(s.facts.Release, s.announcement(before))
	return d.addRecord(ctx, s, r)
}

// recordBefore returns the record of the release that serves. It adds one if there
// is none.
func (d *Deployment) recordBefore(ctx context.Context, s *survey) (*history.Record, error) {
	releases := servingReleases(s.found)
	if current := history.Current(s.history); current != nil && slices.Contains(releases, current.Release) {
		return current, nil
	}
	others := slices.DeleteFunc(releases, func(release string) bool { return release == s.facts.Release })
	return d.addRecord(ctx, s, history.Record{
		Release:  others[0],
		Image:    imageID(s.found, others[0]),
		Result:   history.Released,
		Ended:    time.Now().UTC().Truncate(time.Second),
		Proven:   true,
		Source:   "not known: it was found in service",
		Settings: observedSettings(s.found, others[0], settingsOf(s.spec)),
	})
}

// recordServing records the release that serves if the history does not have it: it
// is the first release, or older than the history.
func (d *Deployment) recordServing(ctx context.Context, s *survey) error {
	settings, err := settingsOf(s.spec), error(nil)
	if settings.Environment, err = d.environmentVersion(ctx, s); err != nil {
		return err
	}
	if current := history.Current(s.history); current != nil && current.Release == s.facts.Release {
		if current.Settings.Environment == settings.Environment {
			return nil
		}
		current.Settings.Environment = settings.Environment
		return d.updateRecord(ctx, s, *current)
	}
	found, err := d.Discover(ctx)
	if err != nil {
		return err
	}
	r := history.Record{
		Release:  s.facts.Release,
		Image:    imageID(found, s.facts.Release),
		From:     s.promoted,
		Started:  s.began,
		Ended:    time.Now().UTC().Truncate(time.Second),
		Result:   history.Released,
		Proven:   true,
		Settings: settings,
	}
	if err := d.describe(s, &r); err != nil {
		return err
	}
	_, err = d.addRecord(ctx, s, r)
	return err
}

// describe records what the goal's release is built from, and with which spec it serves.
func (d *Deployment) describe(s *survey, r *history.Record) (err error) {
	if r.Spec, err = s.spec.Digests(); err != nil {
		return err
	}
	if r.Source, r.Runtime = s.source, s.runtime; r.Source != "" {
		return nil
	}
	if r.Source, err = d.cfg.Builder.Source(); err != nil {
		return err
	}
	r.Runtime, err = d.cfg.Builder.Runtime()
	return err
}

// recordSuccess records that a release serves. If it is a rollback, the releases it
// rolled back are marked, so that a later rollback does not return to them.
func (d *Deployment) recordSuccess(ctx context.Context, s *survey, r *history.Record) (err error) {
	if before := history.Get(s.history, r.Before); r.Rollback && before != nil {
		for _, other := range slices.Clone(s.history) {
			if other.Same(*before) && other.Result == history.Released {
				other.Result = history.RolledBack
				if err := d.updateRecord(ctx, s, other); err != nil {
					return err
				}
			}
		}
	}
	if r.Settings.Environment, err = d.environmentVersion(ctx, s); err != nil {
		return err
	}
	return d.closeRecord(ctx, s, r, history.Released)
}

// closeSuperseded closes the record of an interrupted release if another one is
// desired now.
func (d *Deployment) closeSuperseded(ctx context.Context, s *survey) error {
	open := history.Unfinished(s.history)
	if open == nil || open.Release == s.facts.Release && s.isRelease() {
		return nil
	}
	open.Reason = "its run was interrupted, and " + s.facts.Release + " was deployed instead"
	return d.closeRecord(ctx, s, open, history.Failed)
}

func (d *Deployment) closeRecord(
	ctx context.Context,
	s *survey,
	r *history.Record,
	result history.Result,
) error {
	r.Result, r.Ended = result, time.Now().UTC().Truncate(time.Second)
	return d.updateRecord(ctx, s, *r)
}

// updateRecord stores a changed record in the cloud and in the survey.
func (d *Deployment) updateRecord(ctx context.Context, s *survey, r history.Record) error {
	if err := d.history.Put(ctx, r); err != nil {
		return err
	}
	for i := range s.history {
		if s.history[i].Number == r.Number {
			s.history[i] = r
		}
	}
	return nil
}

// addRecord adds a record to the history in the cloud and in the survey.
func (d *Deployment) addRecord(ctx context.Context, s *survey, r history.Record) (*history.Record, error) {
	r.By = d.cfg.Holder.User + "@" + d.cfg.Holder.Host
	if r.Started.IsZero() {
		r.Started = time.Now().UTC().Truncate(time.Second)
	}
	r, err := d.history.Add(ctx, s.history, r)
	if err == nil {
		s.history = append(s.history, r)
	}
	return &r, err
}
