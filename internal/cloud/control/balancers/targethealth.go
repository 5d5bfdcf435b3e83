//go:build linux

package balancers

import "aloft.dev/aloft/internal/cloud/plane/balancer"

// The health of targets that the balancer does not check (Elastic Load Balancing API
// Reference, TargetHealth).
var (
	deregistering = balancer.Health{
		State:       "draining",
		Reason:      "Target.DeregistrationInProgress",
		Description: "Target deregistration is in progress",
	}
	groupNotInUse = balancer.Health{
		State:       "unused",
		Reason:      "Target.NotInUse",
		Description: "Target group is not configured to receive traffic from the load balancer",
	}
	zoneNotEnabled = balancer.Health{
		State:       "unused",
		Reason:      "Target.NotInUse",
		Description: "Target is in an Availability Zone that is not enabled for the load balancer",
	}
	addressUnusable = balancer.Health{
		State:       "unused",
		Reason:      "Target.IpUnusable",
		Description: "The IP address is reserved for use by a load balancer",
	}
	instanceStopped = balancer.Health{
		State:       "unused",
		Reason:      "Target.InvalidState",
		Description: "Target is in the stopped state",
	}
)
