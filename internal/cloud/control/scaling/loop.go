//go:build linux

// Package scaling runs Auto Scaling groups. One loop reads the store, asks package
// decision for each group's next steps, and carries them out by changing rows and by
// calling EC2 and Elastic Load Balancing. Another loop runs scheduled actions.
//
// All state is in rows. A daemon that starts again continues where the last one
// stopped: an instance's place in its lifecycle is its row, and a launch that has
// not happened yet is an activity without an instance.
package scaling

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/scaling/decision"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// Fleet calls EC2 and Elastic Load Balancing, and asks IAM. The services' errors are of type
// *scalinggroup.Refusal. Every call may be repeated.
type Fleet interface {
	// Launch launches an instance of the group in a subnet, with the tags that the
	// group propagates. It calls join in the same transaction, so that no instance
	// exists without its place in the group. token is the client token.
	Launch(
		ctx context.Context,
		group *store.ScalingGroup,
		source scalinggroup.Source,
		subnet, token string,
		join func(tx *store.Tx, id string) error,
	) error
	// Terminate terminates an instance even if it is protected.
	Terminate(ctx context.Context, region identity.Region, instanceID string) error
	// Start starts an instance that Stop stopped, or that is stopped otherwise.
	Start(ctx context.Context, region identity.Region, instanceID string) error
	Stop(ctx context.Context, region identity.Region, instanceID string) error
	Register(ctx context.Context, region identity.Region, targetGroupARN, instanceID string) error
	Deregister(ctx context.Context, target *store.Target) error
	// MayPublish reports whether a role lets Auto Scaling publish to a topic.
	MayPublish(r store.Reader, roleARN, topicARN string) bool
}

const (
	// After a change the loop waits for related changes: debouncePerInstance times the
	// number of instances, within bounds. So its work per second grows no faster than
	// the number of instances, however many of them change one after another.
	debouncePerInstance = 5 * time.Millisecond
	minDebounce         = 20 * time.Millisecond
	maxDebounce         = time.Second
	// retryAfter is the pause after an error.
	retryAfter = 5 * time.Second
	// cleanupInterval is the time between deletions of old activities.
	cleanupInterval = time.Hour
)

// Loop drives all groups of all regions. Fill the fields, then call Run once.
type Loop struct {
	Store   *store.Store
	Fleet   Fleet
	IDs     *identity.Source // of activities and hook tokens; nil: a source of random ids
	Log     *slog.Logger
	Manners *manners.Set // nil: a kind cloud

	lastCleanup time.Time
}

// Run drives the groups until ctx ends.
func (l *Loop) Run(ctx context.Context) error {
	if l.IDs == nil {
		l.IDs = identity.New(nil)
	}
	for {
		view := l.Store.View()
		wake, err := l.pass(ctx, view)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			l.Log.Warn("carry out the steps of Auto Scaling groups", "error", err)
			wake = earliest(wake, time.Now().Add(retryAfter))
		}
		if err := wait(ctx, view, earliest(wake, l.lastCleanup.Add(cleanupInterval))); err != nil {
			return nil
		}
	}
}

// wait returns shortly after a row changed that decisions depend on, or at a time. Its
// error is that of ctx.
func wait(ctx context.Context, view *store.View, until time.Time) error {
	bounded, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	_ = view.Changed(
		bounded,
		store.ScalingGroups, store.ScalingInstances, store.ScalingActivities, store.LifecycleHooks,
		store.InstanceRefreshes, store.WarmPools, store.Alarms, store.TemplateVersions, store.Instances, store.Targets,
	)
	pause := time.Duration(len(store.ScalingInstances.List(view))) * debouncePerInstance
	late := time.NewTimer(min(max(pause, minDebounce), maxDebounce))
	defer late.Stop()
	select {
	case <-late.C:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// earliest returns the earlier of two times. A zero a is no time.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// pass decides and acts once for every group and returns when to decide again. Errors
// of one group do not affect the others.
func (l *Loop) pass(ctx context.Context, view *store.View) (wake time.Time, problem error) {
	now := time.Now()
	if now.Sub(l.lastCleanup) >= cleanupInterval {
		l.lastCleanup = now
		if err := l.Store.Update(func(tx *store.Tx) error {
			scalinggroup.DeleteOldActivities(tx, now)
			return nil
		}); err != nil {
			return wake, fmt.Errorf("delete old activities: %w", err)
		}
	}
	for _, g := range store.ScalingGroups.List(view) {
		plan := decision.Decide(decision.Collect(view, g, now))
		if !plan.Wake.IsZero() {
			wake = earliest(wake, plan.Wake)
		}
		if err := l.act(ctx, g, plan.Steps); err != nil {
			problem = fmt.Errorf("group %s: %w", g.Name, err)
		}
	}
	return wake, problem
}
