//go:build linux

package balancers

import (
	"slices"
	"strings"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/store"
)

// A target that is an Application Load Balancer is one target for each of its nodes in zones that
// the Network Load Balancer has: a node that fails gets no flows, while the others do. Its ID is
// that of the load balancer, this, and the ID of the node's network interface.
const ofNode = "#"

// stateOfBalancer is targetStateOf for an Application Load Balancer.
func stateOfBalancer(r store.Reader, t *store.Target, use targetGroupUse) targetState {
	s := targetState{draining: !t.DeregisteredAt.IsZero()}
	lb, ok := store.LoadBalancers.Get(r, t.ID)
	if !ok {
		s.gone = true
		return s
	}
	for _, n := range lb.Nodes {
		if nic, ok := store.NetworkInterfaces.Get(r, n.InterfaceID); ok && use.zones[n.Zone] {
			s.nodes = append(s.nodes, balancer.Target{
				ID: t.ID + ofNode + nic.ID, Address: nic.PrivateIP, Port: uint16(t.Port), Zone: n.Zone,
				Draining: s.draining,
			})
		}
	}
	switch {
	case s.draining:
		s.health = &deregistering
		s.configured = use.by != nil
	case use.by == nil:
		s.health = &groupNotInUse
	case len(s.nodes) == 0:
		s.health = &zoneNotEnabled
	default:
		s.configured = true
	}
	return s
}

// stateOf returns the state of a target of the balancer's configuration.
func stateOf(r store.Reader, group string, t balancer.Target) string {
	id, node, _ := strings.Cut(t.ID, ofNode)
	row, ok := store.Targets.Get(r, (&store.Target{TargetGroupARN: group, ID: id, Port: int32(t.Port)}).Key())
	switch {
	case !ok || t.Draining:
		return deregistering.State
	case slices.Contains(strings.Fields(row.UnhealthyNodes), node):
		return "unhealthy"
	}
	return row.State
}

// healthOf returns the health of a target by that of its nodes, if it is a load balancer: it is
// healthy if one of them is. unhealthy are the IDs of the others then, separated by spaces.
func (s *statusIndex) healthOf(group string, targets []balancer.Target) (best balancer.Health, unhealthy string) {
	order := []string{"healthy", balancer.Registering.State, "unhealthy"}
	var worse []string
	for i, t := range targets {
		health, ok := s.targets[balancer.TargetKey{TargetGroup: group, ID: t.ID, Port: t.Port}]
		if !ok {
			health = balancer.Registering
		}
		if _, node, ok := strings.Cut(t.ID, ofNode); ok && health.State != order[0] {
			worse = append(worse, node)
		}
		if i == 0 || slices.Index(order, health.State) < slices.Index(order, best.State) {
			best = health
		}
	}
	if best.State == order[0] {
		unhealthy = strings.Join(worse, " ")
	}
	return best, unhealthy
}
