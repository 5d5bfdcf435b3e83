//go:build linux

package scaling

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// An action that is put after the loop has read the schedules and before it waits
// must wake the loop.
func TestScheduleChangeBeforeWaitIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rows, err := store.Open("")
		if err != nil {
			t.Fatal(err)
		}
		l := &ScheduleLoop{Store: rows, Log: slog.New(slog.DiscardHandler)}
		view, next := l.runDue()
		if !next.IsZero() {
			t.Fatalf("an empty schedule has an action at %s", next)
		}
		err = rows.Update(func(tx *store.Tx) error {
			store.ScheduledActions.Put(tx, &store.ScheduledAction{ARN: "up", Next: time.Now().Add(time.Minute)})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		l.wait(ctx, view, next)
		if ctx.Err() != nil {
			t.Error("the loop slept although the schedule had changed")
		}
	})
}
