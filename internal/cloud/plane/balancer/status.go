package balancer

// Status is what the balancer observes, whole.
type Status struct {
	Nodes   []NodeStatus   `json:"nodes"`
	Targets []TargetStatus `json:"targets"`
	Fronts  []FrontStatus  `json:"fronts"`
}

// NodeStatus tells whether a node of a load balancer works.
type NodeStatus struct {
	LoadBalancer string `json:"load_balancer"`
	ID           string `json:"id"`
	Error        string `json:"error"` // empty: it listens on all ports
	// FailedOver tells that too few targets are healthy for the node's address to
	// be in the load balancer's name, unless it is so with every node.
	FailedOver bool `json:"failed_over"`
}

// TargetStatus is the health of a target that is in use and not draining.
type TargetStatus struct {
	TargetKey
	Health
}

// FrontStatus tells whether a port is open on the host's loopback.
type FrontStatus struct {
	Port  uint16 `json:"port"`
	Error string `json:"error"` // empty: it accepts
}

// Health is a state of a target in AWS's terms (Elastic Load Balancing API
// Reference, TargetHealth).
type Health struct {
	State       string `json:"state"`
	Reason      string `json:"reason"`
	Description string `json:"description"`
}

// The health of a target that is being checked.
var (
	registering = Health{"initial", "Elb.RegistrationInProgress", "Target registration is in progress"}
	checking    = Health{"initial", "Elb.InitialHealthChecking", "Initial health checks in progress"}
	healthy     = Health{State: "healthy"}
	timedOut    = Health{"unhealthy", "Target.Timeout", "Request timed out"}
	internal    = Health{"unhealthy", "Elb.InternalError", "Health checks failed due to an internal error"}
	failed      = Health{"unhealthy", "Target.FailedHealthChecks", "Health checks failed"}
)

// agree merges what the nodes of a load balancer say of one target. AWS does
// not document how DescribeTargetHealth does it; here, a target is reported
// healthy when more than half of the nodes find it so: a zone that is cut off
// neither condemns the others' targets nor saves its own. A new target stays
// initial until every node has decided.
func agree(before Health, views []Health) Health {
	decided, well := 0, 0
	var bad Health
	for _, v := range views {
		switch v.State {
		case healthy.State:
			decided++
			well++
		case failed.State:
			decided++
			bad = v
		}
	}
	switch {
	case len(views) == 0:
		return registering
	case decided == 0, decided < len(views) && before.State != healthy.State:
		for _, v := range views {
			if v == checking {
				return checking
			}
		}
		if decided > 0 {
			return checking
		}
		return registering
	case 2*well > decided:
		return healthy
	}
	return bad
}
