//go:build linux

package balancers

import (
	"cmp"
	"slices"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/firewall"
	"aloft.dev/aloft/internal/cloud/store"
)

// transports are the transport protocols of the listeners whose flows the kernel forwards.
var transports = map[string][]string{"TCP": {"tcp"}, "UDP": {"udp"}, "TCP_UDP": {"tcp", "udp"}}

// Services returns the listeners of a Network Load Balancer as its node in a zone forwards
// their flows, or lets the balancer's process serve them. Before the load balancer is active, there are none.
func Services(r store.Reader, lb *store.LoadBalancer, zone string) []firewall.Service {
	if lb.State != "active" {
		return nil
	}
	use := useBy(lb)
	var out []firewall.Service
	for _, l := range store.ListenersByLoadBalancer.List(r, lb.ARN) {
		group, forwards := flowGroup(r, l)
		for _, family := range families(lb) {
			service := firewall.Service{Protocols: transports["TCP"], Terminates: true}
			switch {
			case forwards && family == familyOf(group):
				service = serviceOf(r, group, use, zone)
				service.Protocols = transports[l.Protocol]
			case !forwards && !l.UsesTLS():
				continue
			}
			service.Family, service.Port = family, uint16(l.Port)
			out = append(out, service)
		}
	}
	slices.SortFunc(out, func(a, b firewall.Service) int {
		return cmp.Or(cmp.Compare(a.Port, b.Port), cmp.Compare(a.Family, b.Family))
	})
	return out
}

// flowGroup returns the target group of a listener whose flows the kernel forwards, and reports
// whether it is one.
func flowGroup(r store.Reader, l *store.Listener) (*store.TargetGroup, bool) {
	if transports[l.Protocol] == nil {
		return nil, false
	}
	for _, share := range actionConfig(l.Actions).Forward {
		if group, ok := store.TargetGroups.Get(r, share.TargetGroup); ok {
			return group, true
		}
	}
	return nil, false
}

// families returns the families of the clients of a load balancer.
func families(lb *store.LoadBalancer) []firewall.Family {
	if lb.HasIPv6() {
		return []firewall.Family{firewall.IPv4, firewall.IPv6}
	}
	return []firewall.Family{firewall.IPv4}
}

// familyOf returns the family of a group's targets.
func familyOf(group *store.TargetGroup) firewall.Family {
	if group.IsIPv6() {
		return firewall.IPv6
	}
	return firewall.IPv4
}

// relays returns the family of clients whose flows to a listener's group the kernel cannot forward,
// because they would have to change their family; empty: it can forward all.
func relays(r store.Reader, lb *store.LoadBalancer, l *store.Listener) balancer.ClientFamily {
	group, ok := flowGroup(r, l)
	switch {
	case !ok || !lb.HasIPv6():
		return ""
	case group.IsIPv6():
		return balancer.OverIPv4
	}
	return balancer.OverIPv6
}

// serviceOf returns what a node in a zone does with flows to a target group.
func serviceOf(r store.Reader, group *store.TargetGroup, use targetGroupUse, zone string) firewall.Service {
	conf := targetGroupConfig(r, group, use)
	service := firewall.Service{
		Preserve: conf.Flows.Impersonate, ByClient: group.Attributes["stickiness.enabled"] == "true",
		EndOthers: conf.Flows.EndDeregistered,
	}
	targets := slices.DeleteFunc(conf.Targets, func(t balancer.Target) bool { return conf.ZoneOnly && !t.Serves(zone) })
	state := func(t balancer.Target) string { return stateOf(r, group.ARN, t) }
	open := failsOpen(conf.FailOpen, targets, state)
	for _, t := range targets {
		flows := firewall.Continue
		switch s := state(t); {
		case s != deregistering.State && open, s == "healthy":
			flows = firewall.Begin
		case s == "unhealthy" && conf.Flows.EndUnhealthy:
			flows = firewall.End
		}
		service.Backends = append(service.Backends, firewall.Backend{At: t.AddrPort(), Flows: flows})
	}
	slices.SortFunc(service.Backends, func(a, b firewall.Backend) int { return a.At.Compare(b.At) })
	return service
}

// failsOpen reports whether too few targets are healthy, so that all receive new flows
// (Elastic Load Balancing API Reference, TargetGroupAttribute: unhealthy_state_routing).
func failsOpen(least balancer.Minimum, targets []balancer.Target, state func(balancer.Target) string) bool {
	registered, healthy := 0, 0
	for _, t := range targets {
		switch state(t) {
		case deregistering.State:
			continue
		case "healthy":
			healthy++
		}
		registered++
	}
	return healthy == 0 || least.Below(healthy, registered)
}
