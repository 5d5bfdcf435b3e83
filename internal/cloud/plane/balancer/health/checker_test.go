//go:build linux

package health

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
)

var everyHalfMinute = balancer.HealthCheck{
	Interval:           30 * time.Second,
	Timeout:            5 * time.Second,
	HealthyThreshold:   5,
	UnhealthyThreshold: 2,
}

type targetFunc func(at time.Duration, ctx context.Context) Outcome

// runChecker runs a checker in a bubble for the given time. It returns the times of
// the probes, and the health after each change by its time.
func runChecker(t *testing.T, d time.Duration, target targetFunc) ([]time.Duration, map[time.Duration]balancer.Health) {
	t.Helper()
	var probes []time.Duration
	changes := map[time.Duration]balancer.Health{}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		var c *Checker
		probe := func(ctx context.Context, _ time.Duration) Outcome {
			probes = append(probes, time.Since(start))
			return target(time.Since(start), ctx)
		}
		c = New(probe, everyHalfMinute, func() { changes[time.Since(start)] = c.Health() })
		done := make(chan struct{})
		go func() { defer close(done); c.Run(ctx) }()
		time.Sleep(d)
		cancel()
		<-done
	})
	return probes, changes
}

// responds is a target that always responds with the status code.
func responds(code int) targetFunc {
	return func(time.Duration, context.Context) Outcome {
		return Outcome{Connected: true, Answered: true, Code: code, Passed: code == 200}
	}
}

func TestNewTargetIsCheckedAtOnceAndThenEveryInterval(t *testing.T) {
	probes, changes := runChecker(t, 10*time.Hour-time.Second, responds(200))
	if len(probes) != 1200 || probes[0] != 0 || probes[1] != 30*time.Second {
		t.Errorf("%d probes, the first at %v", len(probes), probes[:2])
	}
	if changes[0] != Healthy || len(changes) != 1 {
		t.Errorf("changes: %v", changes)
	}
}

func TestSlowlyStartingTargetIsHealthyAsSoonAsItServes(t *testing.T) {
	_, changes := runChecker(t, time.Minute, func(at time.Duration, ctx context.Context) Outcome {
		if at < 3*time.Second {
			return Outcome{}
		}
		return responds(200)(at, ctx)
	})
	if changes[3*time.Second] != Healthy || len(changes) != 1 {
		t.Errorf("changes: %v", changes)
	}
}

func TestTargetThatNeverServesIsUnhealthyAfterItsThreshold(t *testing.T) {
	refuses := func(time.Duration, context.Context) Outcome { return Outcome{} }
	_, changes := runChecker(t, 5*time.Minute, refuses)
	if len(changes) != 2 || changes[30*time.Second] != Checking || changes[60*time.Second] != Failed {
		t.Errorf("changes: %v", changes)
	}
}

func TestFrozenTargetIsUnhealthyWithinTheBound(t *testing.T) {
	frozen := 100 * time.Second
	_, changes := runChecker(t, 10*time.Minute, func(at time.Duration, ctx context.Context) Outcome {
		if at > frozen {
			<-ctx.Done()
			return Outcome{Connected: true}
		}
		return responds(200)(at, ctx)
	})
	bound := frozen + 2*everyHalfMinute.Interval + everyHalfMinute.Timeout
	for at, health := range changes {
		if health == TimedOut && at <= bound {
			return
		}
	}
	t.Errorf("not unhealthy by %v: %v", bound, changes)
}

func TestResponseWithTheWrongCodeCountsAtOnce(t *testing.T) {
	_, changes := runChecker(t, 40*time.Second, responds(500))
	if changes[0] != Checking || changes[30*time.Second].Reason != "Target.ResponseCodeMismatch" {
		t.Errorf("changes: %v", changes)
	}
}
