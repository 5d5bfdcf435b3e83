//go:build linux

package balancers

import (
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestLoadBalancerIsActiveOnceAllNodesWork(t *testing.T) {
	s := newStore(t)
	change(t, s, seed)
	lb, _ := store.LoadBalancers.Get(s.View(), "lb")
	ok := func(id string) balancer.NodeStatus { return balancer.NodeStatus{LoadBalancer: "lb", ID: id} }
	broken := balancer.NodeStatus{LoadBalancer: "lb", ID: "eni-lb-b", Error: "no such file"}
	one := []balancer.NodeStatus{ok("eni-lb-a")}
	both := []balancer.NodeStatus{ok("eni-lb-a"), ok("eni-lb-b")}
	oneFails := []balancer.NodeStatus{ok("eni-lb-a"), broken}
	const failure = "node in b: no such file"
	for _, c := range []struct {
		name          string
		before        string
		status        balancer.Status
		state, reason string
	}{
		{"no status of nodes", "provisioning", balancer.Status{}, "provisioning", ""},
		{"one node of two", "provisioning", balancer.Status{Nodes: one}, "provisioning", ""},
		{"one node fails", "provisioning", balancer.Status{Nodes: oneFails}, "provisioning", failure},
		{"both nodes", "provisioning", balancer.Status{Nodes: both}, "active", ""},
		{"node fails later", "active", balancer.Status{Nodes: oneFails}, "active", failure},
		{"port in use on the host", "active", balancer.Status{
			Nodes:  both,
			Fronts: []balancer.FrontStatus{{Port: 80, Error: "in use"}, {Port: 81, Error: "not its port"}},
		}, "active", "port 80 cannot be reached on this host: in use"},
	} {
		row := *lb
		row.State = c.before
		state, reason := loadBalancerState(s.View(), &row, newStatusIndex(c.status))
		if state != c.state || reason != c.reason {
			t.Errorf("%s: got %q, %q, want %q, %q", c.name, state, reason, c.state, c.reason)
		}
	}
}
