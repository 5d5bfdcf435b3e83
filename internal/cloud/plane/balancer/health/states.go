//go:build linux

package health

import "aloft.dev/aloft/internal/cloud/plane/balancer"

// The states of a target that is being checked, with AWS's reasons and
// descriptions (Elastic Load Balancing API Reference, TargetHealth).
var (
	Checking = balancer.Health{
		State:       "initial",
		Reason:      "Elb.InitialHealthChecking",
		Description: "Initial health checks in progress",
	}
	Healthy  = balancer.Health{State: "healthy"}
	TimedOut = balancer.Health{
		State:       "unhealthy",
		Reason:      "Target.Timeout",
		Description: "Request timed out",
	}
	InternalError = balancer.Health{
		State:       "unhealthy",
		Reason:      "Elb.InternalError",
		Description: "Health checks failed due to an internal error",
	}
	Failed = balancer.Health{
		State:       "unhealthy",
		Reason:      "Target.FailedHealthChecks",
		Description: "Health checks failed",
	}
)
