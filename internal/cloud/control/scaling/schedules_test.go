//go:build linux

package scaling_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/control/scaling"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestScheduledActionsRunWhenDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rows, err := store.Open("")
		if err != nil {
			t.Fatal(err)
		}
		change := func(do func(tx *store.Tx)) {
			if err := rows.Update(func(tx *store.Tx) error { do(tx); return nil }); err != nil {
				t.Fatal(err)
			}
		}
		change(func(tx *store.Tx) {
			store.ScalingGroups.Put(tx, &store.ScalingGroup{Region: "r", Name: "web", Min: 1, Max: 9, Desired: 3})
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- (&scaling.ScheduleLoop{Store: rows, Log: slog.New(slog.DiscardHandler)}).Run(ctx) }()
		synctest.Wait()
		change(func(tx *store.Tx) { // while the loop has no action to wait for
			store.ScheduledActions.Put(tx, &store.ScheduledAction{
				ARN:        "up",
				Name:       "up",
				Region:     "r",
				Group:      "web",
				Recurrence: "0 * * * *",
				Desired:    new(int32(6)),
				Next:       time.Now().Add(time.Hour),
			})
			store.ScheduledActions.Put(tx, &store.ScheduledAction{
				ARN:     "down",
				Name:    "down",
				Region:  "r",
				Group:   "web",
				Start:   time.Now().Add(90 * time.Minute),
				Desired: new(int32(2)),
				Next:    time.Now().Add(90 * time.Minute),
			})
		})
		for _, want := range []struct {
			after   time.Duration
			desired int32
		}{{59 * time.Minute, 3}, {time.Minute, 6}, {31 * time.Minute, 2}, {29 * time.Minute, 6}} {
			time.Sleep(want.after)
			synctest.Wait()
			if g, _ := store.ScalingGroups.Get(rows.View(), "r/web"); g.Desired != want.desired {
				t.Errorf(
					"%s: the desired capacity is %d, want %d", time.Now().Format(time.TimeOnly), g.Desired,
					want.desired,
				)
			}
		}
		if left := store.ScheduledActions.List(rows.View()); len(left) != 1 {
			t.Errorf("%d actions are left", len(left))
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
