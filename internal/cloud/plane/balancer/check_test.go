package balancer

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

var everyHalfMinute = HealthCheck{
	Interval:           30 * time.Second,
	Timeout:            5 * time.Second,
	HealthyThreshold:   5,
	UnhealthyThreshold: 2,
}

// watch runs a checker in a bubble and tells at what times its health changed.
func watch(
	t *testing.T,
	check HealthCheck,
	within time.Duration,
	probe func(at time.Duration, ctx context.Context) outcome,
) (asked []time.Duration, changes map[time.Duration]Health) {
	t.Helper()
	changes = map[time.Duration]Health{}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		var c *checker
		c = newChecker(func(ctx context.Context, _ time.Duration) outcome {
			asked = append(asked, time.Since(start))
			return probe(time.Since(start), ctx)
		}, check, func() { changes[time.Since(start)] = c.health() })
		done := make(chan struct{})
		go func() { defer close(done); c.run(ctx) }()
		time.Sleep(within)
		cancel()
		<-done
	})
	return asked, changes
}

func answers(code int) outcome {
	return outcome{connected: true, code: code, passed: code == 200}
}

func TestANewTargetIsCheckedAtOnceAndThenEveryInterval(t *testing.T) {
	asked, changes := watch(
		t,
		everyHalfMinute,
		10*time.Hour-time.Second,
		func(time.Duration, context.Context) outcome { return answers(200) },
	)
	if len(asked) != 1200 || asked[0] != 0 || asked[1] != 30*time.Second {
		t.Errorf("asked %d times, first at %v", len(asked), asked[:2])
	}
	if changes[0] != healthy || len(changes) != 1 {
		t.Errorf("changes: %v", changes)
	}
}

func TestATargetThatStartsSlowlyIsHealthyAsSoonAsItServes(t *testing.T) {
	_, changes := watch(t, everyHalfMinute, time.Minute, func(at time.Duration, _ context.Context) outcome {
		if at < 3*time.Second {
			return outcome{}
		}
		return answers(200)
	})
	if changes[3*time.Second] != healthy || len(changes) != 1 {
		t.Errorf("changes: %v", changes)
	}
}

func TestATargetThatNeverServesIsUnhealthyAfterItsThreshold(t *testing.T) {
	_, changes := watch(
		t,
		everyHalfMinute,
		5*time.Minute,
		func(time.Duration, context.Context) outcome { return outcome{} },
	)
	if len(changes) != 2 || changes[30*time.Second] != checking || changes[60*time.Second] != failed {
		t.Errorf("changes: %v", changes)
	}
}

func TestATargetThatFreezesIsUnhealthyWithinTheBound(t *testing.T) {
	frozen := 100 * time.Second
	_, changes := watch(t, everyHalfMinute, 10*time.Minute, func(at time.Duration, ctx context.Context) outcome {
		if at > frozen {
			<-ctx.Done()
			return outcome{connected: true}
		}
		return answers(200)
	})
	bound := frozen + 2*everyHalfMinute.Interval + everyHalfMinute.Timeout
	for at, health := range changes {
		if health == timedOut && at <= bound {
			return
		}
	}
	t.Errorf("not seen by %v: %v", bound, changes)
}

func TestAnAnswerWithTheWrongCodeCountsAtOnce(t *testing.T) {
	_, changes := watch(
		t,
		everyHalfMinute,
		40*time.Second,
		func(time.Duration, context.Context) outcome { return answers(500) },
	)
	if changes[0] != checking || changes[30*time.Second].Reason != "Target.ResponseCodeMismatch" {
		t.Errorf("changes: %v", changes)
	}
}
