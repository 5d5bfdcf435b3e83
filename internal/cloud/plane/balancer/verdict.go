package balancer

import (
	"fmt"
	"time"
)

// outcome is the result of one health check.
type outcome struct {
	broken    bool // the node could not ask at all
	connected bool
	code      int  // status code of the answer; 0 when there was none
	late      bool // there was no connection or no answer in time
	passed    bool
}

// verdict is what a node thinks of a target, and the checks that made it think
// so (Application Load Balancer guide, Health checks for target groups).
type verdict struct {
	health Health
	since  time.Time // it is so
	passed int       // in a row
	failed int       // in a row
}

// after is the verdict when one more check has ended. A target that was never
// judged is healthy at its first passed check, whatever the threshold.
func (v verdict) after(o outcome, check HealthCheck) verdict {
	initial := v.health.State == registering.State
	if o.passed {
		next := verdict{health: v.health, since: v.since, passed: v.passed + 1}
		if initial || next.passed >= check.HealthyThreshold {
			next.health = healthy
		}
		return next
	}
	next := verdict{health: v.health, since: v.since, failed: v.failed + 1}
	if initial {
		next.health = checking
	}
	if next.failed >= check.UnhealthyThreshold {
		next.health = o.reason()
	}
	return next
}

func (o outcome) reason() Health {
	switch {
	case o.broken:
		return internal
	case o.late:
		return timedOut
	case o.code != 0:
		return Health{
			failed.State,
			"Target.ResponseCodeMismatch",
			fmt.Sprintf("Health checks failed with these codes: [%d]", o.code),
		}
	}
	return failed
}
