//go:build linux

package balancers

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/store"
)

// withLoop runs do in a synctest bubble beside a running loop over a seeded store.
func withLoop(t *testing.T, do func(t *testing.T, s *store.Store, f *fakeBalancer)) {
	synctest.Test(t, func(t *testing.T) {
		s, f := newStore(t), newFakeBalancer()
		change(t, s, seed)
		l := &Loop{
			Store:     s,
			Balancer:  f,
			Network:   noNetwork{},
			Namespace: namespace,
			Log:       slog.New(slog.NewTextHandler(t.Output(), nil)),
			Neighbours: func(r store.Reader) (out []balancer.Neighbour) {
				for _, row := range store.InstanceConnectEndpoints.List(r) {
					out = append(out, balancer.Neighbour{DNSName: row.DNSName, Port: 443})
				}
				return out
			},
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- l.Run(ctx) }()
		synctest.Wait()
		do(t, s, f)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestLoopRecordsActiveLoadBalancersAndHealthyTargets(t *testing.T) {
	withLoop(t, func(t *testing.T, s *store.Store, f *fakeBalancer) {
		lb, _ := store.LoadBalancers.Get(s.View(), "lb")
		if got := targetRow(s.View(), "i-a"); lb.State != "active" || got != "healthy " {
			t.Errorf("load balancer is %s, target is %s", lb.State, got)
		}
		if n, _ := f.last(); n != 1 {
			t.Errorf("balancer configured %d times", n)
		}
	})
}

func TestNeighboursFollowTheRows(t *testing.T) {
	withLoop(t, func(t *testing.T, s *store.Store, f *fakeBalancer) {
		change(t, s, func(tx *store.Tx) {
			row := &store.InstanceConnectEndpoint{ID: "eice-1", DNSName: "eice-1.localhost"}
			store.InstanceConnectEndpoints.Put(tx, row)
		})
		synctest.Wait()
		if _, c := f.last(); len(c.Neighbours) != 1 || c.Neighbours[0].DNSName != "eice-1.localhost" {
			t.Errorf("neighbours are %v", c.Neighbours)
		}
		change(t, s, func(tx *store.Tx) { store.InstanceConnectEndpoints.Delete(tx, "eice-1") })
		synctest.Wait()
		if _, c := f.last(); len(c.Neighbours) != 0 {
			t.Errorf("neighbours are %v after the endpoint's end", c.Neighbours)
		}
	})
}

func TestDeregisteredTargetDrainsForWholeDelay(t *testing.T) {
	withLoop(t, func(t *testing.T, s *store.Store, f *fakeBalancer) {
		change(t, s, func(tx *store.Tx) {
			store.Targets.Edit(tx, "tg|i-a|3000", func(t *store.Target) { t.DeregisteredAt = time.Now() })
		})
		synctest.Wait()
		if _, c := f.last(); targetRow(s.View(), "i-a") != "draining Target.DeregistrationInProgress" ||
			!c.TargetGroups[0].Targets[0].Draining {
			t.Errorf("i-a is %s, configuration %+v", targetRow(s.View(), "i-a"), c.TargetGroups)
		}
		time.Sleep(299 * time.Second)
		synctest.Wait()
		if got := targetRow(s.View(), "i-a"); got == "no row" {
			t.Error("target gone before the delay ended")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if _, c := f.last(); targetRow(s.View(), "i-a") != "no row" || len(c.TargetGroups[0].Targets) != 1 {
			t.Errorf("i-a is %s, configuration %+v", targetRow(s.View(), "i-a"), c.TargetGroups)
		}
	})
}

func TestRestartedBalancerIsConfiguredAgain(t *testing.T) {
	withLoop(t, func(t *testing.T, s *store.Store, f *fakeBalancer) {
		before, want := f.last()
		f.exit <- struct{}{}
		synctest.Wait()
		after, got := f.last()
		if after != before+1 || len(got.LoadBalancers) != len(want.LoadBalancers) {
			t.Errorf("balancer configured %d times before its exit, %d times after", before, after)
		}
		if got := targetRow(s.View(), "i-a"); got != "healthy " {
			t.Errorf("i-a is %s", got)
		}
	})
}

func TestTerminatedInstanceGetsNoRequests(t *testing.T) {
	withLoop(t, func(t *testing.T, s *store.Store, f *fakeBalancer) {
		change(t, s, func(tx *store.Tx) {
			store.Instances.Edit(tx, "i-a", func(i *store.Instance) { i.State = store.ShuttingDown })
		})
		synctest.Wait()
		if _, c := f.last(); !c.TargetGroups[0].Targets[0].Draining {
			t.Error("the balancer still sends it requests")
		}
		change(t, s, func(tx *store.Tx) {
			store.Instances.Edit(tx, "i-a", func(i *store.Instance) { i.State = store.Terminated })
		})
		synctest.Wait()
		if _, c := f.last(); len(c.TargetGroups[0].Targets) != 1 ||
			targetRow(s.View(), "i-a") != "draining Target.DeregistrationInProgress" {
			t.Errorf("i-a is %s, configuration %+v", targetRow(s.View(), "i-a"), c.TargetGroups)
		}
		change(t, s, func(tx *store.Tx) { store.Instances.Delete(tx, "i-a") })
		synctest.Wait()
		if got := targetRow(s.View(), "i-a"); got != "no row" {
			t.Errorf("i-a is %s", got)
		}
	})
}

func TestProvisioningLoadBalancerChecksNoTargets(t *testing.T) {
	withLoop(t, func(t *testing.T, s *store.Store, f *fakeBalancer) {
		change(t, s, func(tx *store.Tx) {
			store.LoadBalancers.Edit(tx, "lb", func(lb *store.LoadBalancer) {
				lb.State, lb.ActiveAt = "provisioning", time.Now().Add(2*time.Minute)
			})
		})
		want := func(state, health string, configured int) {
			t.Helper()
			synctest.Wait()
			lb, _ := store.LoadBalancers.Get(s.View(), "lb")
			if _, c := f.last(); lb.State != state || targetRow(s.View(), "i-a") != health ||
				len(c.LoadBalancers) != configured || len(c.TargetGroups) != configured {
				t.Errorf("load balancer is %s, i-a is %s, configuration %+v", lb.State, targetRow(s.View(), "i-a"), c)
			}
		}
		time.Sleep(2*time.Minute - 1)
		want("provisioning", "initial Elb.RegistrationInProgress", 0)
		time.Sleep(time.Nanosecond)
		want("active", "healthy ", 1)
	})
}
