//go:build linux

package networks_test

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/control/networks"
	"aloft.dev/aloft/internal/cloud/plane/network"
	"aloft.dev/aloft/internal/cloud/plane/simulated"
	"aloft.dev/aloft/internal/cloud/store"
)

func open(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func addVPC(t *testing.T, s *store.Store, id string) {
	t.Helper()
	if err := s.Update(func(tx *store.Tx) error {
		store.VPCs.Put(tx, &store.VPC{
			ID: id, Region: "r", CIDR: netip.MustParsePrefix("10.0.0.0/16"), DNSSupport: true,
		})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestRunAppliesNetworkAfterFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t)
		var plane simulated.Network
		plane.Fail("Set", errors.New("one"), errors.New("two"), errors.New("three"))
		loop := &networks.Loop{
			Store:     s,
			Plane:     &plane,
			Namespace: func(string) string { return "" },
			Log:       slog.New(slog.DiscardHandler),
		}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = loop.Run(ctx) })
		addVPC(t, s, "vpc-1")
		time.Sleep(time.Minute)
		if got := plane.String(); got != "vpc vpc-1 10.0.0.0/16 gateway=false dns=true\n" {
			t.Errorf("configuration %q", got)
		}
		before := plane.Calls("Set")
		time.Sleep(time.Hour)
		if plane.Calls("Set") != before {
			t.Error("Set was called although no row changed")
		}
		plane.Change("the firewall")
		time.Sleep(10 * time.Second)
		if plane.Calls("Set") != before+1 {
			t.Errorf("%d calls of Set repaired what another program changed", plane.Calls("Set")-before)
		}
		cancel()
		running.Wait()
	})
}

// slowPlane takes a second for every Set.
type slowPlane struct{ simulated.Network }

func (p *slowPlane) Set(ctx context.Context, c network.Config) error {
	time.Sleep(time.Second)
	return p.Network.Set(ctx, c)
}

func TestSyncReturnsWhenPlaneHasRowsOfItsCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t)
		var plane slowPlane
		loop := &networks.Loop{
			Store:     s,
			Plane:     &plane,
			Namespace: func(string) string { return "" },
			Log:       slog.New(slog.DiscardHandler),
		}
		var callers sync.WaitGroup
		for _, id := range []string{"vpc-1", "vpc-2", "vpc-3", "vpc-4"} {
			addVPC(t, s, id)
			callers.Go(func() {
				if err := loop.Sync(t.Context()); err != nil {
					t.Error(err)
				}
				found := false
				for _, vpc := range plane.Config().VPCs {
					found = found || vpc.ID == id
				}
				if !found {
					t.Errorf("Sync returned before the plane had %s", id)
				}
			})
			synctest.Wait()
		}
		callers.Wait()
		if n := plane.Calls("Set"); n != 2 {
			t.Errorf("%d calls of Set, want 2: callers during a call share the next one", n)
		}
		impatient, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		var first sync.WaitGroup
		first.Go(func() { _ = loop.Sync(t.Context()) })
		synctest.Wait()
		if err := loop.Sync(impatient); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Sync returned %v after its context ended", err)
		}
		first.Wait()
	})
}
