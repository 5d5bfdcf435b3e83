//go:build linux

package balancers

import (
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestNodeAddressIsUnusableAsTarget(t *testing.T) {
	s := newStore(t)
	change(t, s, seed)
	change(t, s, func(tx *store.Tx) {
		store.TargetGroups.Edit(tx, "tg", func(g *store.TargetGroup) { g.VPCID, g.TargetType = "vpc", "ip" })
		store.NetworkInterfaces.Edit(tx, "eni-lb-a", func(n *store.NetworkInterface) {
			n.VPCID, n.SubnetID, n.LoadBalancerARN = "vpc", "subnet-a", "lb"
		})
		store.Subnets.Put(tx, &store.Subnet{ID: "subnet-a", Region: "r", VPCID: "vpc"})
		for _, address := range []string{"10.0.0.4", "10.0.0.5"} {
			store.Targets.Put(tx, target("tg", address, "a"))
		}
		compare(tx, newStatusIndex(balancer.Status{}), time.Now()).write(tx)
	})
	if got := targetRow(s.View(), "10.0.0.4"); got != "unused Target.IpUnusable" {
		t.Errorf("the node's address is %s", got)
	}
	if got := targetRow(s.View(), "10.0.0.5"); got != "initial Elb.RegistrationInProgress" {
		t.Errorf("another address is %s", got)
	}
}

func TestTargetRowFollowsInstanceAndHealth(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	key := balancer.TargetKey{TargetGroup: "tg", ID: "i-a", Port: 3000}
	instance := func(state string) func(*store.Tx) {
		return func(tx *store.Tx) {
			store.Instances.Edit(tx, "i-a", func(i *store.Instance) { i.State = state })
		}
	}
	drainingSince := func(ago time.Duration) func(*store.Tx) {
		return func(tx *store.Tx) {
			store.Targets.Edit(tx, "tg|i-a|3000", func(t *store.Target) { t.DeregisteredAt = now.Add(-ago) })
		}
	}
	deleteInstance := func(tx *store.Tx) { store.Instances.Delete(tx, "i-a") }
	deleteListener := func(tx *store.Tx) { store.Listeners.Delete(tx, "l") }
	disableZone := func(tx *store.Tx) {
		store.LoadBalancers.Edit(tx, "lb", func(lb *store.LoadBalancer) { lb.Nodes = lb.Nodes[1:] })
	}
	const (
		initial  = "initial Elb.RegistrationInProgress"
		timeout  = "unhealthy Target.Timeout"
		stopped  = "unused Target.InvalidState"
		notInUse = "unused Target.NotInUse"
		draining = "draining Target.DeregistrationInProgress"
	)
	var unchecked balancer.Health
	healthy := balancer.Health{State: "healthy"}
	failing := balancer.Health{State: "unhealthy", Reason: "Target.Timeout"}
	for _, c := range []struct {
		name       string
		change     func(*store.Tx)
		health     balancer.Health
		want       string
		configured bool
	}{
		{"check passes", nil, healthy, "healthy ", true},
		{"check fails", nil, failing, timeout, true},
		{"not checked yet", nil, unchecked, initial, true},
		{"stopped", instance(store.Stopped), healthy, stopped, false},
		{"stopping", instance(store.Stopping), healthy, stopped, true},
		{"starting again", instance(store.Pending), unchecked, initial, false},
		{"shutting down", instance(store.ShuttingDown), healthy, draining, true},
		{"terminated", instance(store.Terminated), healthy, draining, false},
		{"instance row deleted", deleteInstance, unchecked, "no row", false},
		{"draining", drainingSince(299 * time.Second), healthy, draining, true},
		{"delay ended", drainingSince(300 * time.Second), unchecked, "no row", true},
		{"target group not in use", deleteListener, healthy, notInUse, false},
		{"zone not enabled", disableZone, healthy, notInUse, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStore(t)
			change(t, s, seed)
			if c.change != nil {
				change(t, s, c.change)
			}
			index := newStatusIndex(balancer.Status{})
			if c.health.State != "" {
				index.targets[key] = c.health
			}
			configured := false
			for _, g := range configFor(s.View(), namespace, "/logs", time.Now()).TargetGroups {
				for _, target := range g.Targets {
					configured = configured || target.ID == "i-a"
					if target.ID == "i-a" && c.want != "healthy " && c.health.State == "healthy" && !target.Draining {
						t.Error("the target gets new requests")
					}
				}
			}
			if configured != c.configured {
				t.Errorf("in the balancer's configuration: %t, want %t", configured, c.configured)
			}
			change(t, s, func(tx *store.Tx) { compare(tx, index, now).write(tx) })
			if got := targetRow(s.View(), "i-a"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if again := compare(s.View(), index, now); !again.empty() {
				t.Errorf("second comparison has changes: %+v", again)
			}
		})
	}
}
