//go:build linux

package health

import (
	"fmt"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
)

// Verdict is a node's opinion of a target, and the checks it is based on
// (Application Load Balancer guide, Health checks for target groups).
type Verdict struct {
	Health balancer.Health
	Since  time.Time // when Health last changed; zero: never
	passed int       // checks in a row
	failed int       // checks in a row
}

// after returns the verdict after one more check. A target without a verdict
// becomes healthy with its first passed check, whatever the threshold.
func (v Verdict) after(o Outcome, check balancer.HealthCheck) Verdict {
	initial := v.Health.State == balancer.Registering.State
	if o.Passed {
		next := Verdict{Health: v.Health, Since: v.Since, passed: v.passed + 1}
		if initial || next.passed >= check.HealthyThreshold {
			next.Health = Healthy
		}
		return next
	}
	next := Verdict{Health: v.Health, Since: v.Since, failed: v.failed + 1}
	if initial {
		next.Health = Checking
	}
	if next.failed >= check.UnhealthyThreshold {
		next.Health = o.health()
	}
	return next
}

// health returns the health of a target whose checks fail like this one.
func (o Outcome) health() balancer.Health {
	switch {
	case o.NodeDown:
		return InternalError
	case o.TimedOut:
		return TimedOut
	case o.Answered:
		return balancer.Health{
			State:       Failed.State,
			Reason:      "Target.ResponseCodeMismatch",
			Description: fmt.Sprintf("Health checks failed with these codes: [%d]", o.Code),
		}
	}
	return Failed
}
