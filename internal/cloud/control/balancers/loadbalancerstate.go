//go:build linux

package balancers

import (
	"fmt"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/cloud/store"
)

// loadBalancerState returns a load balancer's state and the reason that the API
// returns with it. A load balancer becomes active when all its nodes work, and stays
// active; the reason lists what fails later.
func loadBalancerState(r store.Reader, lb *store.LoadBalancer, status *statusIndex) (state, reason string) {
	var failures []string
	working := 0
	for _, n := range lb.Nodes {
		node, known := status.nodes[n.InterfaceID]
		switch {
		case known && node.Error == "":
			working++
		case known:
			failures = append(failures, fmt.Sprintf("node in %s: %s", n.Zone, node.Error))
		}
	}
	for _, l := range store.ListenersByLoadBalancer.List(r, lb.ARN) {
		if failure, ok := status.hostErrors[uint16(l.Port)]; ok {
			failures = append(failures, fmt.Sprintf("port %d cannot be reached on this host: %s", l.Port, failure))
		}
	}
	if state = lb.State; working == len(lb.Nodes) {
		state = "active"
	}
	return state, strings.Join(failures, "; ")
}

// observed returns the nodes of a load balancer with what the balancer observes of them.
func (s *statusIndex) observed(nodes []store.Node) []store.Node {
	out := slices.Clone(nodes)
	for i, n := range out {
		if node, known := s.nodes[n.InterfaceID]; known {
			out[i].FailedOver = node.FailedOver
		}
	}
	return out
}
