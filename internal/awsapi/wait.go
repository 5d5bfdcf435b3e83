package awsapi

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	firstPoll = 50 * time.Millisecond
	lastPoll  = 3 * time.Second
)

// Wait asks done again and again until it says yes, fails, or the time is over.
// It asks often at first and every three seconds in the end. what says what is
// waited for: "instance i-1 to run".
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
		if err := Pause(ctx, pause*3/4+rand.N(pause/2)); err != nil {
			return fmt.Errorf("wait for %s: %w", what, err)
		}
		pause = min(pause*3/2, lastPoll)
	}
}

// Pause waits for the time. When the context ends before, it gives the cause.
func Pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// TimeoutError tells that something did not happen in time.
type TimeoutError struct {
	What  string
	After time.Duration
}

// Error tells what did not happen.
func (e *TimeoutError) Error() string { return fmt.Sprintf("not within %s", e.After) }

// Retry calls do until its error is not of the given class, or the time is
// over; it then gives the last error.
func Retry(
	ctx context.Context,
	limit time.Duration,
	what string,
	again func(error) bool,
	do func(context.Context) error,
) error {
	var last error
	err := Wait(ctx, limit, what, func(ctx context.Context) (bool, error) {
		last = do(ctx)
		if last != nil && again(last) {
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
