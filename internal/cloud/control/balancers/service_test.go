//go:build linux

package balancers

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/firewall"
	"aloft.dev/aloft/internal/cloud/store"
)

// network makes the seeded load balancer an active Network Load Balancer that forwards TCP.
func network(tx *store.Tx) {
	store.LoadBalancers.Edit(tx, "lb", func(lb *store.LoadBalancer) {
		lb.Type, lb.State = "network", "active"
		lb.Attributes = map[string]string{"load_balancing.cross_zone.enabled": "false"}
	})
	store.Listeners.Edit(tx, "l", func(l *store.Listener) { l.Protocol = "TCP" })
	store.TargetGroups.Edit(tx, "tg", func(g *store.TargetGroup) {
		g.Protocol = "TCP"
		g.HealthCheck = store.HealthCheck{Protocol: "HTTP", Port: "traffic-port", Path: "/", Matcher: "200-399"}
		const failOpen = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count"
		g.Attributes = map[string]string{
			"load_balancing.cross_zone.enabled": "use_load_balancer_configuration", failOpen: "1",
			"preserve_client_ip.enabled":                                   "true",
			"target_health_state.unhealthy.connection_termination.enabled": "true",
		}
	})
}

// dualstack gives the seeded load balancer IPv6.
func dualstack(tx *store.Tx) {
	store.LoadBalancers.Edit(tx, "lb", func(lb *store.LoadBalancer) { lb.IPAddressType = "dualstack" })
}

// targets6 makes the seeded targets those of IPv6.
func targets6(tx *store.Tx) {
	store.TargetGroups.Edit(tx, "tg", func(g *store.TargetGroup) { g.IPAddressType = "ipv6" })
	for id, address := range map[string]string{"eni-i-a": "2001:db8::a", "eni-i-b": "2001:db8::10b"} {
		store.NetworkInterfaces.Edit(tx, id, func(n *store.NetworkInterface) {
			n.IPv6, n.PrimaryIPv6 = []netip.Addr{netip.MustParseAddr(address)}, true
		})
	}
}

// flows describes what the node in a zone forwards: the last number of each target's address,
// and what becomes of its flows.
func flows(r store.Reader, zone string) string {
	does := map[firewall.Flows]string{firewall.Begin: "begin", firewall.Continue: "continue", firewall.End: "end"}
	lb, _ := store.LoadBalancers.Get(r, "lb")
	var out []string
	for _, s := range Services(r, lb, zone) {
		text := fmt.Sprintf("%s %d:", strings.Join(s.Protocols, "+"), s.Port)
		if s.Family == firewall.IPv6 {
			text = "IPv6 " + text
		}
		if s.Terminates {
			text += " process"
		}
		for _, b := range s.Backends {
			number := b.At.Addr().As16()
			text += fmt.Sprintf(" %d %s", number[14], does[b.Flows])
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}

func TestServicesFollowTheHealthOfTargets(t *testing.T) {
	set := func(id, state string) func(tx *store.Tx) {
		return func(tx *store.Tx) {
			store.Targets.Edit(tx, "tg|"+id+"|3000", func(t *store.Target) { t.State = state })
		}
	}
	attribute := func(key, value string) func(tx *store.Tx) {
		return func(tx *store.Tx) {
			store.TargetGroups.Edit(tx, "tg", func(g *store.TargetGroup) { g.Attributes[key] = value })
		}
	}
	crossZone := attribute("load_balancing.cross_zone.enabled", "true")
	for _, c := range []struct {
		name    string
		changes []func(tx *store.Tx)
		a, b    string // of the nodes in the zones
	}{
		{"no target is healthy", nil, "tcp 80: 0 begin", "tcp 80: 1 begin"},
		{"all are healthy", []func(*store.Tx){set("i-a", "healthy"), set("i-b", "healthy")},
			"tcp 80: 0 begin", "tcp 80: 1 begin"},
		{"zones share the targets", []func(*store.Tx){crossZone, set("i-a", "healthy"), set("i-b", "healthy")},
			"tcp 80: 0 begin 1 begin", "tcp 80: 0 begin 1 begin"},
		{"a target is new", []func(*store.Tx){crossZone, set("i-a", "healthy")},
			"tcp 80: 0 begin 1 continue", "tcp 80: 0 begin 1 continue"},
		{"a target is unhealthy", []func(*store.Tx){crossZone, set("i-a", "healthy"), set("i-b", "unhealthy")},
			"tcp 80: 0 begin 1 end", "tcp 80: 0 begin 1 end"},
		{"an unhealthy target keeps its flows", []func(*store.Tx){
			crossZone, set("i-a", "healthy"), set("i-b", "unhealthy"),
			attribute("target_health_state.unhealthy.connection_termination.enabled", "false"),
		}, "tcp 80: 0 begin 1 continue", "tcp 80: 0 begin 1 continue"},
		{"all are unhealthy", []func(*store.Tx){crossZone, set("i-a", "unhealthy"), set("i-b", "unhealthy")},
			"tcp 80: 0 begin 1 begin", "tcp 80: 0 begin 1 begin"},
		{"a target drains", []func(*store.Tx){crossZone, set("i-a", "healthy"), func(tx *store.Tx) {
			store.Targets.Edit(tx, "tg|i-b|3000", func(t *store.Target) { t.DeregisteredAt = time.Now() })
		}}, "tcp 80: 0 begin 1 continue", "tcp 80: 0 begin 1 continue"},
		{"the load balancer is being created", []func(*store.Tx){func(tx *store.Tx) {
			store.LoadBalancers.Edit(tx, "lb", func(lb *store.LoadBalancer) { lb.State = "provisioning" })
		}}, "", ""},
		{"TLS", []func(*store.Tx){func(tx *store.Tx) {
			store.Listeners.Edit(tx, "l", func(l *store.Listener) { l.Protocol = "TLS" })
		}}, "tcp 80: process", "tcp 80: process"},
		{"dualstack", []func(*store.Tx){dualstack}, "tcp 80: 0 begin; IPv6 tcp 80: process",
			"tcp 80: 1 begin; IPv6 tcp 80: process"},
		{"dualstack with targets of IPv6", []func(*store.Tx){dualstack, targets6},
			"tcp 80: process; IPv6 tcp 80: 0 begin", "tcp 80: process; IPv6 tcp 80: 1 begin"},
		{"dualstack TLS", []func(*store.Tx){dualstack, targets6, func(tx *store.Tx) {
			store.Listeners.Edit(tx, "l", func(l *store.Listener) { l.Protocol = "TLS" })
		}}, "tcp 80: process; IPv6 tcp 80: process", "tcp 80: process; IPv6 tcp 80: process"},
		{"TCP and UDP", []func(*store.Tx){func(tx *store.Tx) {
			store.Listeners.Edit(tx, "l", func(l *store.Listener) { l.Protocol = "TCP_UDP" })
		}}, "tcp+udp 80: 0 begin", "tcp+udp 80: 1 begin"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStore(t)
			change(t, s, seed)
			change(t, s, network)
			for _, do := range c.changes {
				change(t, s, do)
			}
			if a, b := flows(s.View(), "a"), flows(s.View(), "b"); a != c.a || b != c.b {
				t.Errorf("got %q and %q, want %q and %q", a, b, c.a, c.b)
			}
		})
	}
}

func TestConfigForANetworkLoadBalancer(t *testing.T) {
	s := newStore(t)
	change(t, s, seed)
	change(t, s, network)
	c := configFor(s.View(), namespace, "", time.Now())
	if l := c.LoadBalancers[0].Listeners[0]; len(l.Forwards) != 1 || l.Forwards[0] != "tcp" {
		t.Errorf("listener = %+v", l)
	}
	for family, do := range map[balancer.ClientFamily]func(*store.Tx){
		balancer.OverIPv6: dualstack, balancer.OverIPv4: targets6,
	} {
		dual := newStore(t)
		change(t, dual, seed)
		change(t, dual, network)
		change(t, dual, dualstack)
		change(t, dual, do)
		l := configFor(dual.View(), namespace, "", time.Now()).LoadBalancers[0].Listeners[0]
		if l.Relays != family || !l.Opaque || len(l.Forwards) != 1 {
			t.Errorf("the process relays %q: %+v", family, l)
		}
	}
	g := c.TargetGroups[0]
	if !g.ZoneOnly || g.TLS || g.Sticky != nil || g.Check.Connect || g.Check.HostPort != 80 {
		t.Errorf("target group = %+v", g)
	}
	change(t, s, func(tx *store.Tx) {
		store.TargetGroups.Edit(tx, "tg", func(g *store.TargetGroup) { g.HealthCheck.Protocol = "TCP" })
	})
	if g = configFor(s.View(), namespace, "", time.Now()).TargetGroups[0]; !g.Check.Connect || g.Check.HostPort != 0 {
		t.Errorf("check = %+v", g.Check)
	}
}
