package apply

import (
	"context"
	"fmt"
	"slices"
	"time"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/resource"
	"aloft.dev/aloft/internal/stack"
)

// chooseBase makes the survey build on the base image that the deployment was built on.
// Publishers replace the newest image every few weeks, and each one would make another
// release of an unchanged source. The newest is chosen if the user asks for it, or if
// the other is gone and something has to be built.
func (d *Deployment) chooseBase(ctx context.Context, s *survey) error {
	s.newest = s.base
	id := rememberedBase(s.found, s.history, s.base.Name)
	if d.cfg.RefreshBase || s.release != "" || id == "" || id == s.base.ID {
		return nil
	}
	release, err := d.cfg.Builder.Release(id)
	if err != nil {
		return explain("source", err)
	}
	if !hasImage(s.found, release) {
		exists, err := d.cloud.ImageExists(ctx, id)
		if err != nil {
			return explain("machines.image", err)
		}
		if !exists {
			d.tellGone.Do(func() {
				d.cfg.Events(event.Event{
					Time: time.Now(), Kind: event.Note, Address: "machines.image",
					Message: fmt.Sprintf("%s, on which this deployment was built, is gone: %s takes its place as %s",
						id, s.base.ID, s.base.Name),
				})
			})
			return nil
		}
	}
	s.base.ID, s.facts.Release = id, release
	return nil
}

// rememberedBase returns the id of the base image that a deployment was built on under
// a name, or "": of the release that is being built, of the one that serves, or of the
// newest image.
func rememberedBase(found []plan.Found, all []history.Record, name string) string {
	named := slices.DeleteFunc(slices.Clone(found), func(f plan.Found) bool {
		return f.Status.BaseName != name || f.Status.Base == ""
	})
	for _, f := range named {
		if f.Kind == stack.KindServer && f.Value(stack.AttrBuilt) != stack.Yes {
			return f.Status.Base
		}
	}
	var newest plan.Found
	for _, release := range append(recordedReleases(all), servingReleases(found)...) {
		for _, f := range named {
			if f.Kind == stack.KindImage && f.Value(stack.AttrRelease) == release {
				return f.Status.Base
			}
		}
	}
	for _, f := range named {
		if f.Kind == stack.KindImage && f.Created >= newest.Created {
			newest = f
		}
	}
	return newest.Status.Base
}

// recordedReleases returns the release that is being built and the one that serves, as
// far as the history knows them.
func recordedReleases(all []history.Record) []string {
	var releases []string
	if open := history.Unfinished(all); open != nil && open.Result == history.InProgress && !open.Rollback {
		releases = append(releases, open.Release)
	}
	if current := history.Current(all); current != nil {
		releases = append(releases, current.Release)
	}
	return releases
}

// newerBase describes a base image that is newer than the one that a deployment was
// built on.
func newerBase(name, base, newest string) string {
	return fmt.Sprintf("A newer %s exists: %s (now %s). aloft up --refresh-base makes a release on it.",
		name, newest, base)
}

// NewerBaseImage describes a base image that is newer than the one that the deployment
// was built on, or returns "" if there is none or the credentials do not allow looking.
func (d *Deployment) NewerBaseImage(ctx context.Context, s *Status) (string, error) {
	name, architecture := resource.SplitBaseName(s.BaseName)
	if s.BaseImage == "" || name != d.cfg.Spec.Machines.Image {
		return "", nil
	}
	newest, err := d.cloud.FindBaseImage(ctx, name, architecture)
	if awsapi.IsForbidden(err) || awsapi.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", explain("machines.image", err)
	}
	if newest.ID == s.BaseImage {
		return "", nil
	}
	return newerBase(s.BaseName, s.BaseImage, newest.ID), nil
}
