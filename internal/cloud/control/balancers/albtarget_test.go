//go:build linux

package balancers

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/store"
)

// behind makes the seeded load balancer an active Network Load Balancer, whose target is an
// Application Load Balancer with nodes in zones a, b and c.
func behind(tx *store.Tx) {
	network(tx)
	store.LoadBalancers.Edit(tx, "lb", func(lb *store.LoadBalancer) {
		lb.Attributes["load_balancing.cross_zone.enabled"] = "true"
	})
	store.TargetGroups.Edit(tx, "tg", func(g *store.TargetGroup) {
		g.TargetType, g.Attributes["deregistration_delay.timeout_seconds"] = "alb", "300"
	})
	for _, t := range store.TargetsByTargetGroup.List(tx, "tg") {
		store.Targets.Delete(tx, t.Key())
	}
	web := &store.LoadBalancer{ARN: "alb", Region: "r", State: "active"}
	for i, zone := range []string{"a", "b", "c"} {
		id := "eni-alb-" + zone
		web.Nodes = append(web.Nodes, store.Node{Zone: zone, InterfaceID: id})
		store.NetworkInterfaces.Put(tx, &store.NetworkInterface{
			ID: id, Region: "r", LoadBalancerARN: "alb", PrivateIP: netip.AddrFrom4([4]byte{10, 0, byte(i), 20}),
		})
	}
	store.LoadBalancers.Put(tx, web)
	store.Targets.Put(tx, target("tg", "alb", ""))
}

// statusOf returns a status in which the nodes of the Application Load Balancer in zones a and b
// have these states. A node without one has not been checked.
func statusOf(a, b string) *statusIndex {
	s := newStatusIndex(balancer.Status{})
	for zone, state := range map[string]string{"a": a, "b": b} {
		if state != "" {
			key := balancer.TargetKey{TargetGroup: "tg", ID: "alb#eni-alb-" + zone, Port: 3000}
			s.targets[key] = balancer.Health{State: state}
		}
	}
	return s
}

func TestFlowsGoToHealthyNodesOfAnApplicationLoadBalancer(t *testing.T) {
	for _, c := range []struct{ a, b, row, flows string }{
		{"healthy", "healthy", "healthy ", "tcp 80: 0 begin 1 begin"},
		{"healthy", "unhealthy", "healthy ", "tcp 80: 0 begin 1 end"},
		{"", "healthy", "healthy ", "tcp 80: 0 end 1 begin"},
		{"", "unhealthy", "initial Elb.RegistrationInProgress", "tcp 80: 0 begin 1 begin"},
		{"unhealthy", "unhealthy", "unhealthy ", "tcp 80: 0 begin 1 begin"},
	} {
		t.Run(fmt.Sprintf("%s %s", c.a, c.b), func(t *testing.T) {
			s := newStore(t)
			change(t, s, seed)
			change(t, s, behind)
			status := statusOf(c.a, c.b)
			change(t, s, func(tx *store.Tx) { compare(tx, status, time.Now()).write(tx) })
			if again := compare(s.View(), status, time.Now()); len(again.targets) > 0 {
				t.Errorf("second comparison has changes: %+v", again)
			}
			if got := targetRow(s.View(), "alb"); got != c.row {
				t.Errorf("the target is %q, want %q", got, c.row)
			}
			if got := flows(s.View(), "a"); got != c.flows {
				t.Errorf("got %q, want %q", got, c.flows)
			}
		})
	}
}

func TestApplicationLoadBalancerAsTargetIsItsNodes(t *testing.T) {
	s := newStore(t)
	change(t, s, seed)
	change(t, s, behind)
	targets := func() string {
		out := ""
		for _, t := range configFor(s.View(), namespace, "", time.Now()).TargetGroups[0].Targets {
			out += fmt.Sprintf("%s %s %s %t\n", t.ID, t.AddrPort(), t.Zone, t.Draining)
		}
		return out
	}
	want := "alb#eni-alb-a 10.0.0.20:3000 a false\nalb#eni-alb-b 10.0.1.20:3000 b false\n"
	if got := targets(); got != want { // the Network Load Balancer is not in zone c
		t.Errorf("got %s, want %s", got, want)
	}
	rows := func() string {
		change(t, s, func(tx *store.Tx) { compare(tx, statusOf("healthy", "healthy"), time.Now()).write(tx) })
		return targetRow(s.View(), "alb")
	}
	change(t, s, func(tx *store.Tx) {
		store.Targets.Edit(tx, "tg|alb|3000", func(t *store.Target) { t.DeregisteredAt = time.Now() })
	})
	if got := rows(); got != "draining Target.DeregistrationInProgress" {
		t.Errorf("a draining one is %q", got)
	}
	want = "alb#eni-alb-a 10.0.0.20:3000 a true\nalb#eni-alb-b 10.0.1.20:3000 b true\n"
	if got := targets(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	change(t, s, func(tx *store.Tx) { store.LoadBalancers.Delete(tx, "alb") })
	if got := rows(); got != "no row" {
		t.Errorf("a deleted one is %q", got)
	}
}
