package apply

import (
	"context"
	"fmt"
	"slices"
	"time"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/stack"
)

// isRelease reports whether deploying the survey's goal is a release: something
// serves, and another release or environment is desired or the desired one was
// interrupted. Going back to the release that was the last to come into service is not a
// release, if its environment is in service as well.
func (s *survey) isRelease() bool {
	releases, current, open := servingReleases(s.found), history.Current(s.history), history.Unfinished(s.history)
	switch {
	case len(releases) == 0:
		return false
	case open != nil && open.Release == s.facts.Release:
		return true
	case current != nil && current.Release == s.facts.Release:
		return s.changesEnvironment()
	}
	return !slices.Equal(releases, []string{s.facts.Release})
}

// deploy deploys the survey's goal. The run holds the lock.
func (d *Deployment) deploy(ctx context.Context, s *survey) error {
	if err := d.closeSuperseded(ctx, s); err != nil {
		return err
	}
	if s.isRelease() {
		return d.release(ctx, s)
	}
	if err := d.applySteps(ctx, s, s.steps); err != nil {
		return err
	}
	if err := d.recordServing(ctx, s); err != nil {
		return err
	}
	return d.finish(ctx, s)
}

// release brings a release into service, or rolls it back if it fails. Only if the
// run is interrupted or the rollback fails does the next run have to continue.
func (d *Deployment) release(ctx context.Context, s *survey) error {
	r, err := d.beginRecord(ctx, s)
	if err != nil {
		return err
	}
	if err = d.bringIntoService(ctx, s, r); err == nil {
		if err := d.recordSuccess(ctx, s, r); err != nil {
			return err
		}
		return d.finish(ctx, s)
	}
	if ctx.Err() != nil {
		return err
	}
	return d.rollBackFailed(ctx, s, r, err)
}

// bringIntoService builds and proves the release, replaces the serving one with it,
// and watches it.
func (d *Deployment) bringIntoService(ctx context.Context, s *survey, r *history.Record) error {
	serve := slices.IndexFunc(s.steps, func(st step) bool { return st.phase == stack.PhaseServe })
	if err := d.applySteps(ctx, s, s.steps[:serve]); err != nil {
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
	if err := d.updateRecord(ctx, s, *r); err != nil {
		return err
	}
	s.found = found
	return d.watched(ctx, r, func(ctx context.Context, w *releaseWatch) error {
		if err := d.applySteps(ctx, s, s.steps[serve:]); err != nil {
			return err
		}
		bake := s.spec.Release.Bake
		d.notify(r.Release, fmt.Sprintf("serves everywhere; its health and errors are watched for %s", bake))
		if err := awsapi.Sleep(ctx, bake); err != nil || bake == 0 {
			return err
		}
		return w.awaitMetrics(ctx)
	})
}

// finish keeps the servers' host keys and deletes images beyond the number to keep.
func (d *Deployment) finish(ctx context.Context, s *survey) error {
	found, err := d.Discover(ctx)
	if err != nil {
		return err
	}
	d.keepHostKeys(ctx, found)
	p := surplusImages(found, s.history, s.facts.Release, s.spec.Release.Keep)
	return d.runTasks(ctx, "clean up", newGraph(d.provisioner(), nil, p).tasks)
}
