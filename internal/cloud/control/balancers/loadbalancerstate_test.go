//go:build linux

package balancers

import (
	"testing"
	"time"

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

func TestNodesKeepWhetherTheyHaveFailedOver(t *testing.T) {
	s := newStore(t)
	change(t, s, seed)
	for _, c := range []struct {
		name  string
		nodes []balancer.NodeStatus
		want  [2]bool
	}{
		{"nothing is known", nil, [2]bool{}},
		{"one has", []balancer.NodeStatus{{ID: "eni-lb-b", FailedOver: true}}, [2]bool{false, true}},
		{"only the other is known", []balancer.NodeStatus{{ID: "eni-lb-a"}}, [2]bool{false, true}},
		{"none has", []balancer.NodeStatus{{ID: "eni-lb-b"}}, [2]bool{}},
	} {
		status := newStatusIndex(balancer.Status{Nodes: c.nodes})
		change(t, s, func(tx *store.Tx) { compare(tx, status, time.Now()).write(tx) })
		lb, _ := store.LoadBalancers.Get(s.View(), "lb")
		if got := [2]bool{lb.Nodes[0].FailedOver, lb.Nodes[1].FailedOver}; got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
