//go:build linux

package balancer

// Status is everything the balancer observes.
type Status struct {
	Nodes   []NodeStatus   `json:"nodes"`
	Targets []TargetStatus `json:"targets"`
	Fronts  []FrontStatus  `json:"fronts"`
}

// NodeStatus reports whether a node of a load balancer works.
type NodeStatus struct {
	LoadBalancer string `json:"load_balancer"`
	ID           string `json:"id"`
	Error        string `json:"error"` // empty: it listens on all ports
	// FailedOver reports that too few targets are healthy for the load balancer's DNS
	// name to include the node's address, unless all its nodes have failed over.
	FailedOver bool `json:"failed_over"`
}

// TargetStatus is the health of a target that is in use and not draining.
type TargetStatus struct {
	TargetKey
	Health
}

// FrontStatus reports whether a port is open on the host's loopback.
type FrontStatus struct {
	Port  uint16 `json:"port"`
	Error string `json:"error"` // empty: it accepts connections
}

// Health is a target's health in AWS's terms (Elastic Load Balancing API
// Reference, TargetHealth).
type Health struct {
	State       string `json:"state"`
	Reason      string `json:"reason"`
	Description string `json:"description"`
}

// Registering is the health of a target that was registered and not checked yet
// (Elastic Load Balancing API Reference, TargetHealth).
var Registering = Health{
	State:       "initial",
	Reason:      "Elb.RegistrationInProgress",
	Description: "Target registration is in progress",
}
