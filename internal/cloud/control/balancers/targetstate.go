//go:build linux

package balancers

import (
	"net/netip"
	"slices"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/store"
)

// targetState is everything about a registered target but the result of its health
// checks.
type targetState struct {
	configured bool // the balancer's configuration contains the target
	draining   bool
	stopping   bool              // its machine shuts down: requests in flight may finish
	address    netip.Addr        // zero: none yet
	nodes      []balancer.Target // of a load balancer, in place of the address
	gone       bool              // the instance no longer exists
	terminated bool              // the instance terminated or is terminating: deregister it
	health     *balancer.Health  // nil: the result of the health checks
}

func targetStateOf(r store.Reader, t *store.Target, group *store.TargetGroup, use targetGroupUse) targetState {
	if group.TargetType == "alb" {
		return stateOfBalancer(r, t, use)
	}
	s := targetState{address: addressOf(r, t, group), draining: !t.DeregisteredAt.IsZero()}
	_, err := netip.ParseAddr(t.ID)
	byAddress := err == nil // registered by IP address, not by instance
	if !byAddress && s.setByInstance(r, t.ID) {
		// StopInstances deregisters nothing: the machine's system ends what it serves, and the
		// load balancer cuts nothing off (Amazon EC2 API Reference, StopInstances).
		s.configured = s.stopping && use.by != nil && s.address.IsValid()
		return s
	}
	switch {
	case s.draining:
		s.health = &deregistering
		s.configured = use.by != nil && s.address.IsValid()
	case use.by == nil:
		s.health = &groupNotInUse
	case t.Zone != "" && t.Zone != "all" && !use.zones[t.Zone]:
		s.health = &zoneNotEnabled
	case byAddress && isNodeAddress(r, group.VPCID, s.address):
		s.health = &addressUnusable
	case !s.address.IsValid():
		s.health = &balancer.Registering
	default:
		s.configured = true
	}
	return s
}

// targets returns a configured target as the balancer knows it.
func (s targetState) targets(t *store.Target) []balancer.Target {
	if s.nodes != nil {
		return s.nodes
	}
	return []balancer.Target{{
		ID: t.ID, Address: s.address, Port: uint16(t.Port), Zone: t.Zone, Draining: s.draining || s.stopping,
	}}
}

// setByInstance applies the instance's state and reports whether it alone decides.
func (s *targetState) setByInstance(r store.Reader, id string) (decided bool) {
	i, ok := store.Instances.Get(r, id)
	switch {
	case !ok:
		s.gone = true
		return true
	case i.State == store.ShuttingDown:
		s.terminated, s.draining = true, true
	case i.State == store.Terminated:
		s.terminated, s.draining, s.health = true, true, &deregistering
	case i.State == store.Stopped || i.State == store.Stopping:
		s.stopping = i.State == store.Stopping
		s.health = &instanceStopped
		if s.draining {
			s.health = &deregistering
		}
	case i.State == store.Pending && !s.draining:
		s.health = &balancer.Registering
	}
	return s.health != nil
}

// addressOf returns a target's IP address; zero if it has none. An instance in a target group of
// IPv6 has its primary IPv6 address.
func addressOf(r store.Reader, t *store.Target, group *store.TargetGroup) netip.Addr {
	if addr, err := netip.ParseAddr(t.ID); err == nil {
		return addr
	}
	for _, nic := range store.NetworkInterfacesByInstance.List(r, t.ID) {
		switch {
		case nic.DeviceIndex != 0:
		case !group.IsIPv6():
			return nic.PrivateIP
		case nic.PrimaryIPv6:
			return nic.FirstIPv6()
		}
	}
	return netip.Addr{}
}

// isNodeAddress reports whether the IP address belongs to a load balancer's node in
// the VPC.
func isNodeAddress(r store.Reader, vpc string, address netip.Addr) bool {
	for _, nic := range store.NetworkInterfacesInVPC(r, vpc) {
		if nic.LoadBalancerARN != "" && (nic.PrivateIP == address || slices.Contains(nic.IPv6, address)) {
			return true
		}
	}
	return false
}
