//go:build linux

package balancers

import "aloft.dev/aloft/internal/cloud/plane/balancer"

// statusIndex is the balancer's status, indexed for lookups.
type statusIndex struct {
	targets    map[balancer.TargetKey]balancer.Health
	nodes      map[string]balancer.NodeStatus // by id of the network interface
	hostErrors map[uint16]string              // why ports are closed on the host
}

func newStatusIndex(s balancer.Status) *statusIndex {
	index := &statusIndex{
		targets:    map[balancer.TargetKey]balancer.Health{},
		nodes:      map[string]balancer.NodeStatus{},
		hostErrors: map[uint16]string{},
	}
	for _, t := range s.Targets {
		index.targets[t.TargetKey] = t.Health
	}
	for _, n := range s.Nodes {
		index.nodes[n.ID] = n
	}
	for _, f := range s.Fronts {
		if f.Error != "" {
			index.hostErrors[f.Port] = f.Error
		}
	}
	return index
}
