//go:build linux

package fleets_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/control/fleets"
	"aloft.dev/aloft/internal/cloud/store"
)

// compute notes when which fleet was maintained.
type compute struct {
	mu     sync.Mutex
	begin  time.Time
	calls  []string
	result func(id string) (time.Time, error)
}

func (c *compute) MaintainFleet(_ context.Context, row *store.Fleet) (time.Time, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, row.ID+" at "+time.Since(c.begin).String())
	return c.result(row.ID)
}

func (c *compute) RepeatSpotRequest(_ context.Context, row *store.SpotRequest) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, row.ID+" at "+time.Since(c.begin).String())
	return nil
}

func TestFleetsAreMaintainedWhenSomethingChangesOrIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open("")
		if err != nil {
			t.Fatal(err)
		}
		put := func(do func(tx *store.Tx)) {
			t.Helper()
			if err := s.Update(func(tx *store.Tx) error { do(tx); return nil }); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		put(func(tx *store.Tx) {
			store.Fleets.Put(tx, &store.Fleet{ID: "ends", Region: "r", Type: "request"})
			store.Fleets.Put(tx, &store.Fleet{
				ID: "stuck", Region: "r", Type: "maintain", Failures: []store.FleetFailure{{Code: "x"}},
			})
			store.Fleets.Put(tx, &store.Fleet{ID: "wrong", Region: "r", Type: "maintain"})
			store.SpotRequests.Put(tx, &store.SpotRequest{ID: "once", Region: "r"})
			store.SpotRequests.Put(tx, &store.SpotRequest{ID: "again", Region: "r", Again: "{}"})
		})
		c := &compute{begin: time.Now()}
		c.result = func(id string) (time.Time, error) {
			switch id {
			case "ends":
				return c.begin.Add(time.Hour), nil
			case "stuck":
				return time.Now().Add(30 * time.Second), nil
			}
			return time.Time{}, errors.New("no")
		}
		loop := &fleets.Loop{Store: s, Compute: c, Log: slog.New(slog.DiscardHandler)}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			if err := loop.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		put(func(tx *store.Tx) { store.Instances.Put(tx, &store.Instance{ID: "i-1", Region: "r"}) })
		time.Sleep(20 * time.Millisecond)
		synctest.Wait()
		want := []string{"ends at 0s", "stuck at 0s", "wrong at 0s", "again at 0s", "ends at 20ms", "again at 20ms"}
		if !slices.Equal(c.calls, want) {
			t.Errorf("calls %q, want %q", c.calls, want)
		}
		put(func(tx *store.Tx) { store.Fleets.Edit(tx, "stuck", func(row *store.Fleet) { row.Modifying = true }) })
		time.Sleep(20 * time.Millisecond)
		synctest.Wait()
		if !slices.Contains(c.calls[6:], "stuck at 40ms") {
			t.Errorf("a modified fleet waits: %q", c.calls)
		}
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if !slices.Contains(c.calls, "wrong at 5.02s") {
			t.Errorf("no call was repeated after its error: %q", c.calls)
		}
		cancel()
		running.Wait()
	})
}
