//go:build linux

package scaling_test

import (
	"fmt"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestCancelledRefreshCompletesReplacementsInProgress(t *testing.T) {
	for _, abrupt := range []bool{false, true} {
		t.Run(fmt.Sprint("abruptly: ", abrupt), func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.pass(time.Hour)
				w.refresh(version2, prefer(nil))
				w.update(func(tx *store.Tx) {
					store.InstanceRefreshes.Edit(
						tx, "refresh",
						func(r *store.InstanceRefresh) { r.Status, r.Abrupt = store.RefreshCancelling, abrupt },
					)
				})
				w.pass(time.Second)
				if abrupt {
					w.status(store.RefreshCancelled)
				} else {
					w.status(store.RefreshCancelling)
				}
				w.pass(5 * time.Minute)
				w.status(store.RefreshCancelled)
				if r := w.refreshed(); r.StatusReason != "Cancelled due to user request." || w.versions()["1"] != 2 ||
					w.versions()["2"] != 1 || w.groupRow().Template.Version != "1" {
					t.Errorf("%+v with %v", r, w.versions())
				}
			})
		})
	}
}

func TestCancelledLaunchFirstLeavesDesiredCapacity(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.pass(time.Hour)
		w.refresh(version2, prefer(func(p *scalinggroup.Preferences) {
			p.MinHealthyPercentage, p.MaxHealthyPercentage = 100, atMost(200)
		}))
		w.update(func(tx *store.Tx) {
			store.InstanceRefreshes.Edit(
				tx, "refresh", func(r *store.InstanceRefresh) { r.Status = store.RefreshCancelling },
			)
		})
		least := 3
		w.watch(10*time.Minute, func() { least = min(least, w.warm(time.Minute)) })
		w.status(store.RefreshCancelled)
		if n := len(w.states()[store.LifecycleInService]); n != 3 || least < 3 {
			t.Errorf("%d in service, %d at least: %v", n, least, w.states())
		}
	})
}
