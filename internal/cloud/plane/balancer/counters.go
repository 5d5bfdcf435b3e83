//go:build linux

package balancer

import "time"

// Counters are the balancer's counts since its process started, and its gauges now.
type Counters struct {
	Since time.Time      `json:"since"` // when the process started to count
	Nodes []NodeCounters `json:"nodes"` // in a fixed order
}

// NodeCounters are a load balancer's counts in one zone. The names and meanings of
// the sums are CloudWatch's (Application Load Balancer guide, CloudWatch metrics
// for your Application Load Balancer).
type NodeCounters struct {
	LoadBalancer string            `json:"load_balancer"` // its ARN
	Zone         string            `json:"zone"`
	Sums         map[string]uint64 `json:"sums"`   // by metric; zeros are omitted
	Active       int               `json:"active"` // open connections, to clients and to targets
	// Flows and TCPFlows are the open connections of opaque listeners that have one to a target: of
	// clients that use TLS, and of others.
	Flows      int             `json:"flows"`
	TCPFlows   int             `json:"tcp_flows"`
	Groups     []GroupCounters `json:"groups"`
	LogDropped uint64          `json:"log_dropped"` // entries missing from the access log
}

// GroupCounters are a target group's counts at one node.
type GroupCounters struct {
	TargetGroup string            `json:"target_group"` // its ARN
	Sums        map[string]uint64 `json:"sums"`         // by metric; zeros are omitted
	Present     bool              `json:"present"`      // the node's listeners forward to the group now
	ZoneOnly    bool              `json:"zone_only"`    // only targets of the node's zone count
	Healthy     int               `json:"healthy"`      // targets healthy from this node's point of view
	Unhealthy   int               `json:"unhealthy"`    // unhealthy ones; new targets are neither
	Time        time.Duration     `json:"time"`         // sum of the response times
	Times       []Timing          `json:"times"`        // histogram, in ascending order
}

// TargetCounters are a target's counts at one node since it was registered. CloudWatch has none.
type TargetCounters struct {
	LoadBalancer string   `json:"load_balancer"` // its ARN
	Zone         string   `json:"zone"`
	TargetGroup  string   `json:"target_group"` // its ARN
	ID           string   `json:"id"`
	Port         uint16   `json:"port"`
	Requests     uint64   `json:"requests"`
	Failures     uint64   `json:"failures"` // of them: no response, or one with a status from 500
	Times        []Timing `json:"times"`    // histogram of the response times, in ascending order
}

// Timing is how many responses took from From up to, but not including, To.
type Timing struct {
	From  time.Duration `json:"from"`
	To    time.Duration `json:"to"`
	Count uint64        `json:"count"`
}
