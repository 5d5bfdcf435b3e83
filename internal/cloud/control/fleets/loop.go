//go:build linux

// Package fleets runs EC2 Fleets and persistent requests for Spot Instances. Fleets that maintain
// their capacity launch and terminate instances, and those whose time is over end. A persistent
// request launches another instance when its own is terminated.
package fleets

import (
	"context"
	"log/slog"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

const (
	// The pauses of a fleet and of a request after an error.
	retryDelay        = 5 * time.Second
	requestRetryDelay = 30 * time.Second
	// The bounds of the pause after a change.
	debouncePerInstance = time.Millisecond
	minDebounce         = 20 * time.Millisecond
	maxDebounce         = time.Second
)

// Compute is the part of EC2 that this loop uses.
type Compute interface {
	// MaintainFleet takes the steps that a fleet needs, and returns when it may need more; zero: after
	// a change.
	MaintainFleet(ctx context.Context, row *store.Fleet) (next time.Time, err error)
	// RepeatSpotRequest launches an instance for a persistent request if its own is terminated.
	RepeatSpotRequest(ctx context.Context, row *store.SpotRequest) error
}

// Loop runs all fleets and Spot requests of all regions. Fill the fields, then call Run.
type Loop struct {
	Store   *store.Store
	Compute Compute
	Log     *slog.Logger
}

// Run runs the fleets until ctx ends.
func (l *Loop) Run(ctx context.Context) error {
	pauses := map[string]time.Time{} // by id of a fleet or a request: no step before
	for {
		view := l.Store.View()
		now := time.Now()
		wake := l.runFleets(ctx, view, pauses, now)
		if retry := l.runRequests(ctx, view, pauses, now); !retry.IsZero() {
			wake = earliest(wake, retry)
		}
		bounded, cancel := ctx, context.CancelFunc(func() {})
		if !wake.IsZero() {
			bounded, cancel = context.WithDeadline(ctx, wake)
		}
		_ = view.Changed(bounded, store.Fleets, store.SpotRequests, store.Instances)
		cancel()
		late := time.NewTimer(debounce(view))
		select {
		case <-late.C:
		case <-ctx.Done():
			late.Stop()
			return nil
		}
	}
}

// debounce returns how long the loop waits for related changes: the longer, the more there is to look
// at. So its work per second is bounded, however many instances change one after another.
func debounce(r store.Reader) time.Duration {
	n := len(store.SpotRequests.List(r))
	for _, row := range store.Fleets.List(r) {
		for _, launch := range row.Launches {
			n += len(launch.InstanceIDs)
		}
	}
	return min(max(time.Duration(n)*debouncePerInstance, minDebounce), maxDebounce)
}

// runFleets takes the steps of all fleets, and returns when the next one is due; zero: after a change. A
// fleet that could not launch all that it needs pauses, whatever else changes.
func (l *Loop) runFleets(
	ctx context.Context, r store.Reader, pauses map[string]time.Time, now time.Time,
) (wake time.Time) {
	for _, row := range store.Fleets.List(r) {
		if until := pauses[row.ID]; now.Before(until) && !row.Modifying && !row.Deleted {
			wake = earliest(wake, until)
			continue
		}
		delete(pauses, row.ID)
		next, err := l.Compute.MaintainFleet(ctx, row)
		if ctx.Err() != nil {
			return wake
		}
		if err != nil {
			l.Log.Warn("maintain a fleet", "fleet", row.ID, "error", err)
			next = now.Add(retryDelay)
		}
		if !next.IsZero() {
			wake = earliest(wake, next)
			if len(row.Failures) > 0 || err != nil {
				pauses[row.ID] = next
			}
		}
	}
	return wake
}

// runRequests launches instances for persistent Spot requests, and returns when it tries again; zero:
// after a change.
func (l *Loop) runRequests(
	ctx context.Context, r store.Reader, pauses map[string]time.Time, now time.Time,
) (wake time.Time) {
	for _, row := range store.SpotRequests.List(r) {
		if until := pauses[row.ID]; now.Before(until) {
			wake = earliest(wake, until)
			continue
		}
		delete(pauses, row.ID)
		if row.Again == "" {
			continue
		}
		if err := l.Compute.RepeatSpotRequest(ctx, row); err != nil && ctx.Err() == nil {
			l.Log.Warn("launch an instance for a persistent Spot request", "request", row.ID, "error", err)
			pauses[row.ID] = now.Add(requestRetryDelay)
			wake = earliest(wake, pauses[row.ID])
		}
	}
	return wake
}

// earliest returns the earlier of two times. A zero a is no time.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
