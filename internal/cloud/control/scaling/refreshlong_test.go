//go:build linux

package scaling_test

import (
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestRefreshSurvivesRestartsAtAnyTime(t *testing.T) {
	inWorld(t, func(g *store.ScalingGroup) { g.HealthCheckType = "ELB" }, func(w *world) {
		w.fleet.slow = 7 * time.Second
		w.pass(time.Hour)
		w.refresh(version2, prefer(func(p *scalinggroup.Preferences) {
			p.MinHealthyPercentage, p.MaxHealthyPercentage, p.BakeTime = 100, atMost(100), 60
		}))
		least := 3
		for range 300 {
			w.stop()
			w.pass(time.Second)
			w.start()
			w.pass(2 * time.Second)
			least = min(least, w.warm(time.Minute))
		}
		w.status(store.RefreshSuccessful)
		if w.versions()["2"] != 3 || least < 3 || w.fleet.calls["Terminate"] < 3 || len(w.fleet.tokens) != 6 {
			t.Errorf(
				"%v, %d warm at least, %v, %d instances ever", w.versions(), least, w.fleet.calls, len(w.fleet.tokens),
			)
		}
	})
}

// Without its template version a refresh would terminate instances that it cannot
// replace.
func TestRefreshFailsIfItsTemplateIsDeleted(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.pass(time.Hour)
		w.refresh(version2, prefer(func(p *scalinggroup.Preferences) { p.AutoRollback = true }))
		w.update(func(tx *store.Tx) { store.TemplateVersions.Delete(tx, store.TemplateVersionKey("lt-1", 2)) })
		w.pass(time.Second)
		if r := w.refreshed(); r.Status != store.RefreshRollbackInProgress ||
			!strings.Contains(r.RollbackReason, "does not exist any more") {
			t.Errorf("%+v", r)
		}
		w.pass(10 * time.Minute)
		w.status(store.RefreshRollbackSuccessful)
		if w.versions()["1"] != 3 {
			t.Errorf("%v", w.versions())
		}
	})
}

// The daemon dies at each call of a refresh: after the other service has carried out
// the call and before the loop has recorded it.
func TestRefreshSurvivesKillsAtEveryCall(t *testing.T) {
	for _, surplus := range []*int32{nil, atMost(110)} {
		for nth, calls := 1, 1; nth <= calls; nth++ {
			inWorld(t, func(g *store.ScalingGroup) { g.HealthCheckType = "ELB" }, func(w *world) {
				w.pass(time.Hour)
				before, killed := w.fleet.sum(), false
				w.fleet.called = func(n int) {
					if n == before+nth {
						killed = true
						w.kill()
					}
				}
				w.refresh(version2, prefer(
					func(p *scalinggroup.Preferences) { p.MinHealthyPercentage, p.MaxHealthyPercentage = 100, surplus },
				))
				for range 20 {
					w.pass(time.Minute)
					if killed {
						w.stop()
						w.start()
					}
				}
				w.status(store.RefreshSuccessful)
				if got := w.versions(); got["2"] != 3 || len(got) != 1 || len(w.states()) != 1 ||
					len(w.fleet.tokens) != 6 {
					t.Errorf("killed at call %d: %v, %v, %d instances ever", nth, got, w.states(), len(w.fleet.tokens))
				}
				calls = w.fleet.sum() - before
			})
		}
	}
}

// For any sizes and percentages: at all times enough instances are warm and not too many
// exist, and at the end all are new and spread over the zones.
func TestRefreshKeepsItsPercentages(t *testing.T) {
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 1))
		desired := 1 + random.Int32N(12)
		p := prefer(func(p *scalinggroup.Preferences) {
			p.MinHealthyPercentage, p.InstanceWarmup = random.Int32N(101), random.Int32N(120)
			if random.IntN(2) == 0 {
				p.MaxHealthyPercentage = atMost(100 + random.Int32N(p.MinHealthyPercentage+1))
			}
		})
		keep := (int(desired*p.MinHealthyPercentage) + 99) / 100
		most := int(desired)
		switch {
		case p.MaxHealthyPercentage == nil:
			keep = min(keep, int(desired)-1) // one at a time, even if the minimum allows none
		case int(desired**p.MaxHealthyPercentage)/100 > int(desired):
			most = int(desired**p.MaxHealthyPercentage) / 100
		case keep == int(desired):
			most++ // one launches first, even if the maximum allows none
		}
		inWorld(
			t,
			func(g *store.ScalingGroup) { g.Desired, g.Max, g.HealthCheckType = desired, desired, "ELB" },
			func(w *world) {
				w.fleet.slow, w.fleet.uneven = 3*time.Second, true
				w.pass(time.Hour)
				w.refresh(version2, p)
				w.watch(90*time.Minute, func() {
					if w.t.Failed() {
						return
					}
					there := 0
					for _, i := range scalinggroup.Instances(w.store.View(), key) {
						if scalinggroup.CountsTowardCapacity(i) {
							there++
						}
					}
					if warm := w.warm(p.Warmup()); warm < keep || there > most {
						t.Errorf(
							"seed %d: %d of %d are warm, %d there; want %d at least and %d at most",
							seed,
							warm,
							desired,
							there,
							keep,
							most,
						)
					}
				})
				w.status(store.RefreshSuccessful)
				fewest, fullest := int(desired), 0
				for _, zone := range []string{"a", "b", "c"} {
					n := w.zones()[zone]
					fewest, fullest = min(fewest, n), max(fullest, n)
				}
				if got := w.versions(); got["2"] != int(desired) || len(got) != 1 || fullest > fewest+1 {
					t.Errorf("seed %d: %v in zones %v", seed, got, w.zones())
				}
			},
		)
	}
}

// Three times the instances take three times the calls and at most three times the
// work, measured as allocated memory. A tenth is allowed for the runtime's own
// allocations.
func TestRefreshWorkIsProportionalToInstances(t *testing.T) {
	type work struct {
		calls       int
		allocations uint64
	}
	allocated := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.Mallocs
	}
	measure := func(n int32) (out work) {
		inWorld(t, func(g *store.ScalingGroup) { g.Max, g.Desired, g.HealthCheckType = n, n, "ELB" }, func(w *world) {
			w.fleet.slow, w.fleet.uneven = 5*time.Second, true
			w.pass(time.Hour)
			calls, before := w.fleet.sum(), allocated()
			w.refresh(version2, prefer(nil))
			w.pass(2 * time.Hour)
			out = work{w.fleet.sum() - calls, allocated() - before}
			w.status(store.RefreshSuccessful)
			if got := w.versions(); got["2"] != int(n) || len(got) != 1 {
				t.Errorf("%v", got)
			}
		})
		return out
	}
	few, many := measure(100), measure(300)
	t.Logf("100 instances: %+v; 300: %+v", few, many)
	if many.calls != 4*300 || few.calls != 4*100 || many.allocations > 3*few.allocations*11/10 {
		t.Errorf("100 instances: %+v; 300: %+v", few, many)
	}
}

func (f *fleet) sum() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, calls := range f.calls {
		n += calls
	}
	return n
}
