package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// Failure tells that a release failed, and that what served before serves.
type Failure struct {
	Release string
	Number  int // of its record
	List    diag.List
}

// Error gives the problems.
func (f *Failure) Error() string { return f.List.Error() }

// Unwrap gives the problems.
func (f *Failure) Unwrap() error { return f.List }

// failed finds a *Failure in an error.
func failed(err error) (f *Failure, ok bool) {
	ok = errors.As(err, &f)
	return f, ok
}

// isRelease tells whether something serves and another release is wanted, or
// the same one whose run was stopped. Going back to the release that was good
// last is none.
func (s *survey) isRelease() bool {
	releases, current, open := serving(s.found), history.Current(s.history), history.Unfinished(s.history)
	switch {
	case len(releases) == 0:
		return false
	case open != nil && open.Release == s.facts.Release:
		return true
	case current != nil && current.Release == s.facts.Release:
		return false
	}
	return !slices.Equal(releases, []string{s.facts.Release})
}

// bring makes the cloud as the survey says. It is called under the lock.
func (d *Deployment) bring(ctx context.Context, s *survey) error {
	if err := d.supersede(ctx, s); err != nil {
		return err
	}
	if s.isRelease() {
		return d.release(ctx, s)
	}
	if err := d.carryOut(ctx, s, s.steps); err != nil {
		return err
	}
	if err := d.noteServing(ctx, s); err != nil {
		return err
	}
	return d.sweepImages(ctx, s)
}

// supersede ends the record of a release whose run was stopped, when another
// one is wanted now.
func (d *Deployment) supersede(ctx context.Context, s *survey) error {
	open := history.Unfinished(s.history)
	if open == nil || open.Release == s.facts.Release && s.isRelease() {
		return nil
	}
	open.Reason = "its run was stopped, and " + s.facts.Release + " was wanted then"
	return d.end(ctx, s, open, history.Failed)
}

// end closes a record.
func (d *Deployment) end(ctx context.Context, s *survey, r *history.Record, result history.Result) error {
	r.Result, r.Ended = result, time.Now().UTC().Truncate(time.Second)
	return d.write(ctx, s, *r)
}

// write writes a record anew, in the cloud and in what is known of it.
func (d *Deployment) write(ctx context.Context, s *survey, r history.Record) error {
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

// add begins a record.
func (d *Deployment) add(ctx context.Context, s *survey, r history.Record) (*history.Record, error) {
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

// noteServing records what serves, when no record says so: the first release,
// or one of before there were records.
func (d *Deployment) noteServing(ctx context.Context, s *survey) error {
	if current := history.Current(s.history); current != nil && current.Release == s.facts.Release {
		return nil
	}
	found, err := d.Discover(ctx)
	if err != nil {
		return err
	}
	r := history.Record{
		Release:  s.facts.Release,
		Image:    imageID(found, s.facts.Release),
		Result:   history.Released,
		Proven:   true,
		Settings: settingsOf(s.spec),
	}
	r.Started, r.Ended = s.began, time.Now().UTC().Truncate(time.Second)
	if r.Source, err = d.cfg.Builder.Source(); err != nil {
		return err
	}
	_, err = d.add(ctx, s, r)
	return err
}

func imageID(found []plan.Found, release string) string {
	for _, f := range found {
		if isImageOf(f, release) && f.Broken == "" {
			return f.ID
		}
	}
	return ""
}

// release brings a release into service, or goes back. Only when it is stopped
// or when going back fails, the next run has to go on.
func (d *Deployment) release(ctx context.Context, s *survey) error {
	r, err := d.begin(ctx, s)
	if err != nil {
		return err
	}
	if err = d.perform(ctx, s, r); err == nil {
		if err := d.succeed(ctx, s, r); err != nil {
			return err
		}
		return d.sweepImages(ctx, s)
	}
	if ctx.Err() != nil {
		return err
	}
	return d.takeBack(ctx, s, r, err)
}

// begin writes down that a release is under way, or goes on with the record of
// a run that was stopped.
func (d *Deployment) begin(ctx context.Context, s *survey) (*history.Record, error) {
	if open := history.Unfinished(s.history); open != nil {
		d.note("goes on where an earlier run was stopped", s.facts.Release)
		return open, nil
	}
	before, err := d.before(ctx, s)
	if err != nil {
		return nil, err
	}
	r := history.Record{
		Release: s.facts.Release, Image: imageID(s.found, s.facts.Release), Result: history.InProgress, Before: before.Number,
		Proven: s.proven(), Settings: settingsOf(s.spec), Rollback: s.wish.release != "",
	}
	if r.Source = s.source; r.Source == "" {
		if r.Source, err = d.cfg.Builder.Source(); err != nil {
			return nil, err
		}
	}
	d.note("comes into service; "+before.Release+" serves until then", s.facts.Release)
	return d.add(ctx, s, r)
}

// before is the record of what serves, which is written now where there is none.
func (d *Deployment) before(ctx context.Context, s *survey) (*history.Record, error) {
	releases := serving(s.found)
	if current := history.Current(s.history); current != nil && slices.Contains(releases, current.Release) {
		return current, nil
	}
	release := slices.DeleteFunc(releases, func(release string) bool { return release == s.facts.Release })[0]
	now := time.Now().UTC().Truncate(time.Second)
	return d.add(ctx, s, history.Record{
		Release: release, Image: imageID(s.found, release), Result: history.Released, Ended: now, Proven: true,
		Source: "not known: it was found in service", Settings: observed(s.found, release, settingsOf(s.spec)),
	})
}

func (d *Deployment) note(message, release string) {
	d.cfg.Events(event.Event{Time: time.Now(), Kind: event.Note, Address: "release " + release, Message: message})
}

// perform makes and proves the release, puts it in the place of what serves, and
// watches it.
func (d *Deployment) perform(ctx context.Context, s *survey, r *history.Record) error {
	served := slices.IndexFunc(s.steps, func(st step) bool { return st.phase == stack.PhaseServe })
	if err := d.carryOut(ctx, s, s.steps[:served]); err != nil {
		return err
	}
	found, err := d.Discover(ctx)
	if err != nil {
		return err
	}
	r.Image, r.Proven = imageID(found, r.Release), true
	if r.Touched.IsZero() {
		r.Touched = time.Now().UTC().Truncate(time.Second)
	}
	if err := d.write(ctx, s, *r); err != nil {
		return err
	}
	s.found = found
	return d.watched(ctx, s, r, func(ctx context.Context) error {
		if err := d.carryOut(ctx, s, s.steps[served:]); err != nil {
			return err
		}
		d.note(
			fmt.Sprintf("serves everywhere; its health and its errors are watched for %s", s.spec.Release.Bake),
			r.Release,
		)
		return awsapi.Pause(ctx, s.spec.Release.Bake)
	})
}

// succeed records that a release serves. What somebody went back from is
// marked before, so that nothing leads forward to it again.
func (d *Deployment) succeed(ctx context.Context, s *survey, r *history.Record) error {
	if before := history.Get(s.history, r.Before); r.Rollback && before != nil {
		for _, other := range slices.Clone(s.history) {
			if other.Release == before.Release && other.Result == history.Released {
				other.Result = history.RolledBack
				if err := d.write(ctx, s, other); err != nil {
					return err
				}
			}
		}
	}
	return d.end(ctx, s, r, history.Released)
}

// sweepImages deletes the images that are not kept any more.
func (d *Deployment) sweepImages(ctx context.Context, s *survey) error {
	found, err := d.Discover(ctx)
	if err != nil {
		return err
	}
	return walk(
		ctx,
		newGraph(d.site(), nil, surplusImages(found, s.history, s.facts.Release, s.spec.Release.Keep)).tasks,
		d.cfg.Events,
	)
}

// reason tells in one line why a release failed.
func reason(err error) string {
	var list diag.List
	if !errors.As(err, &list) {
		list = explain("", err)
	}
	texts := make([]string, len(list))
	for i, d := range list {
		texts[i] = d.Error()
	}
	return strings.Join(texts, "; ")
}
