package balancers

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// looping runs do in a bubble beside a loop over a seeded store.
func looping(t *testing.T, do func(t *testing.T, s *store.Store, f *fakeBalancer)) {
	synctest.Test(t, func(t *testing.T) {
		s, f := newStore(t), newFake()
		change(t, s, seed)
		l := &Loop{
			Store:     s,
			Balancer:  f,
			Network:   &noNetwork{},
			Namespace: namespace,
			Log:       slog.New(slog.NewTextHandler(t.Output(), nil)),
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

func TestTheLoopMakesLoadBalancersActiveAndTargetsHealthy(t *testing.T) {
	looping(t, func(t *testing.T, s *store.Store, f *fakeBalancer) {
		lb, _ := store.LoadBalancers.Get(s.View(), "lb")
		if got := row(s.View(), "i-a"); lb.State != "active" || got != "healthy " {
			t.Errorf("%s, %s", lb.State, got)
		}
		if n, _ := f.last(); n != 1 {
			t.Errorf("set %d times", n)
		}
	})
}

func TestADeregisteredTargetDrainsForItsWholeDelay(t *testing.T) {
	looping(t, func(t *testing.T, s *store.Store, f *fakeBalancer) {
		change(t, s, func(tx *store.Tx) {
			store.Targets.Edit(tx, "tg|i-a|3000", func(t *store.Target) { t.DeregisteredAt = time.Now() })
		})
		synctest.Wait()
		if _, c := f.last(); row(s.View(), "i-a") != "draining Target.DeregistrationInProgress" ||
			!c.TargetGroups[0].Targets[0].Draining {
			t.Errorf("%s, %+v", row(s.View(), "i-a"), c.TargetGroups)
		}
		time.Sleep(299 * time.Second)
		synctest.Wait()
		if got := row(s.View(), "i-a"); got == "none" {
			t.Error("gone too early")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if _, c := f.last(); row(s.View(), "i-a") != "none" || len(c.TargetGroups[0].Targets) != 1 {
			t.Errorf("%s, %+v", row(s.View(), "i-a"), c.TargetGroups)
		}
	})
}

func TestABalancerThatDiesIsSetAgain(t *testing.T) {
	looping(t, func(t *testing.T, s *store.Store, f *fakeBalancer) {
		before, want := f.last()
		f.death <- struct{}{}
		synctest.Wait()
		after, got := f.last()
		if after != before+1 || len(got.LoadBalancers) != len(want.LoadBalancers) {
			t.Errorf("set %d times, then %d", before, after)
		}
		if got := row(s.View(), "i-a"); got != "healthy " {
			t.Errorf("i-a is %s", got)
		}
	})
}

func TestATerminatedInstanceGetsNoMoreRequests(t *testing.T) {
	looping(t, func(t *testing.T, s *store.Store, f *fakeBalancer) {
		change(t, s, func(tx *store.Tx) {
			store.Instances.Edit(tx, "i-a", func(i *store.Instance) { i.State = store.ShuttingDown })
		})
		synctest.Wait()
		if _, c := f.last(); !c.TargetGroups[0].Targets[0].Draining {
			t.Error("still serves")
		}
		change(t, s, func(tx *store.Tx) {
			store.Instances.Edit(tx, "i-a", func(i *store.Instance) { i.State = store.Terminated })
		})
		synctest.Wait()
		if _, c := f.last(); len(c.TargetGroups[0].Targets) != 1 ||
			row(s.View(), "i-a") != "draining Target.DeregistrationInProgress" {
			t.Errorf("%+v %s", c.TargetGroups, row(s.View(), "i-a"))
		}
		change(t, s, func(tx *store.Tx) { store.Instances.Delete(tx, "i-a") })
		synctest.Wait()
		if got := row(s.View(), "i-a"); got != "none" {
			t.Errorf("i-a is %s", got)
		}
	})
}
