package awsapi

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// Intervals between two polls of Wait.
const (
	firstPoll = 50 * time.Millisecond
	lastPoll  = 3 * time.Second
)

// Wait polls done until it returns true or an error, or limit has passed. It polls
// often at first and every three seconds in the end. what names the awaited event
// for the error: "instance i-1 to run". The error wraps a *TimeoutError if limit has
// passed.
func Wait(ctx context.Context, limit time.Duration, what string, done func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, &TimeoutError{What: what, After: limit})
	defer cancel()
	pause := firstPoll
	for {
		ok, err := done(ctx)
		if cause := context.Cause(ctx); cause != nil && !ok {
			return fmt.Errorf("wait for %s: %w", what, cause)
		}
		if ok || err != nil {
			return err
		}
		if err := Sleep(ctx, pause*3/4+rand.N(pause/2)); err != nil {
			return fmt.Errorf("wait for %s: %w", what, err)
		}
		pause = min(pause*3/2, lastPoll)
	}
}

// Retry calls do until it succeeds, returns an error that is not retryable, or limit
// has passed. It returns the last error of do.
func Retry(
	ctx context.Context,
	limit time.Duration,
	what string,
	retryable func(error) bool,
	do func(context.Context) error,
) error {
	var last error
	err := Wait(ctx, limit, what, func(ctx context.Context) (bool, error) {
		last = do(ctx)
		if last != nil && retryable(last) {
			return false, nil
		}
		return last == nil, last
	})
	if err != nil && last != nil {
		if ctx.Err() != nil {
			return err
		}
		return last
	}
	return err
}

// Sleep pauses for d. If ctx ends before, it returns the cause.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// TimeoutError is returned when an awaited event did not happen in time.
type TimeoutError struct {
	What  string // the event: "instance i-1 to run"
	After time.Duration
}

// Error returns the time limit. Wait adds the event.
func (e *TimeoutError) Error() string { return fmt.Sprintf("not within %s", e.After) }
