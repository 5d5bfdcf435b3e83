//go:build linux

package scaling_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// wantCause checks that an activity's cause ends with a sentence.
func wantCause(t *testing.T, a *store.ScalingActivity, sentence string) {
	t.Helper()
	if !strings.HasSuffix(a.Cause, sentence) {
		t.Errorf("%s: %q, want %q at its end", a.Description, a.Cause, sentence)
	}
}

func TestTerminatedInstanceIsReplaced(t *testing.T) {
	for name, state := range map[string]string{
		"terminated": store.Terminated, "stopped": store.Stopped, "stopping": store.Stopping,
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(g *store.ScalingGroup) { g.HealthCheckGrace = 3600 }, func(w *world) {
				w.machine("i-001", func(i *store.Instance) { i.State = state })
				w.want(store.LifecycleInService, "i-002", "i-003", "i-004")
				gone, came := w.activities("i-001")[1], w.activities("i-004")[0]
				wantCause(
					t,
					gone,
					"an instance was taken out of service in response to an EC2 health check indicating it has been "+
						"terminated or stopped.",
				)
				wantCause(
					t, came, "an instance was launched in response to an unhealthy instance needing to be replaced.",
				)
				if len(w.states()) != 1 || w.zones()["a"] != 1 {
					t.Errorf("%v", w.states())
				}
			})
		})
	}
}

func TestELBFailureReplacesAfterTheGracePeriod(t *testing.T) {
	inWorld(t, func(g *store.ScalingGroup) { g.HealthCheckType, g.HealthCheckGrace = "EC2,ELB", 300 }, func(w *world) {
		w.target("i-002", "unhealthy", "Target.FailedHealthChecks")
		w.pass(298 * time.Second)
		w.want(store.LifecycleInService, "i-001", "i-002", "i-003")
		w.pass(2 * time.Second)
		w.want(store.LifecycleTerminating, "i-002")
		w.want(store.LifecycleInService, "i-001", "i-003", "i-004")
		wantCause(
			t,
			w.activities("i-002")[1],
			"an instance was taken out of service in response to an ELB system health check failure.",
		)
		w.pass(2 * time.Minute)
		if len(w.states()) != 1 || w.fleet.calls["Terminate"] != 1 {
			t.Errorf("%v", w.states())
		}
	})
}

func TestGracePeriodRestartsWithTheMachine(t *testing.T) {
	inWorld(t, func(g *store.ScalingGroup) { g.HealthCheckType, g.HealthCheckGrace = "ELB", 300 }, func(w *world) {
		w.pass(time.Hour)
		w.machine("i-002", func(i *store.Instance) { i.MachineStarted = time.Now() })
		w.target("i-002", "unhealthy", "Target.FailedHealthChecks")
		w.pass(298 * time.Second)
		w.want(store.LifecycleInService, "i-001", "i-002", "i-003")
		w.pass(5 * time.Second)
		w.want(store.LifecycleInService, "i-001", "i-003", "i-004")
	})
}

func TestELBHealthCountsOnlyIfTheGroupUsesIt(t *testing.T) {
	for _, c := range []struct {
		kind, state string
		replaced    bool
	}{
		{"EC2", "unhealthy", false}, {"ELB", "unhealthy", true}, {"ELB", "initial", false}, {"ELB", "unused", false},
		{"ELB", "draining", false}, {"ELB", "healthy", false},
	} {
		inWorld(t, func(g *store.ScalingGroup) { g.HealthCheckType = c.kind }, func(w *world) {
			w.target("i-001", c.state, "")
			w.pass(time.Second)
			if got := !slices.Contains(w.states()[store.LifecycleInService], "i-001"); got != c.replaced {
				t.Errorf("%s, %s: replaced: %v", c.kind, c.state, got)
			}
		})
	}
}

func TestUserHealthReplacesAnInstance(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.update(func(tx *store.Tx) {
			store.ScalingInstances.Edit(
				tx, "i-001", func(i *store.ScalingInstance) {
					i.Health, i.HealthSetByUser = scalinggroup.Unhealthy, true
				},
			)
		})
		w.pass(time.Second)
		w.want(store.LifecycleTerminating, "i-001")
		wantCause(
			t, w.activities("i-001")[1], "an instance was taken out of service in response to a user health-check.",
		)
	})
}

func TestFailedStatusCheckReplacesButRebootDoesNot(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.machine("i-001", func(i *store.Instance) { i.Reachable, i.Reboots = false, 1 })
		w.want(store.LifecycleInService, "i-001", "i-002", "i-003")
		w.machine("i-001", func(i *store.Instance) { i.RebootsDone = 1 })
		w.want(store.LifecycleTerminating, "i-001")
		wantCause(t, w.activities("i-001")[1], "in response to an EC2 instance status check failure.")
	})
}

func TestSuspendedProcessesDoNothing(t *testing.T) {
	suspend := func(names ...string) func(*store.ScalingGroup) {
		return func(g *store.ScalingGroup) {
			g.Suspended, g.HealthCheckType = nil, "ELB"
			for _, n := range names {
				g.Suspended = append(g.Suspended, store.SuspendedProcess{Name: n})
			}
		}
	}
	inWorld(t, nil, func(w *world) {
		w.group(suspend(scalinggroup.ReplaceUnhealthy))
		w.target("i-001", "unhealthy", "")
		w.pass(time.Hour)
		if i, _ := store.ScalingInstances.Get(w.store.View(), "i-001"); i.Health != scalinggroup.Unhealthy ||
			i.State != store.LifecycleInService {
			t.Errorf("not replacing: %+v", i)
		}
		w.group(suspend(scalinggroup.Terminate, scalinggroup.Launch))
		w.desire(5)
		w.desire(1)
		w.want(store.LifecycleInService, "i-001", "i-002", "i-003")
		w.group(suspend())
		w.pass(10 * time.Minute)
		w.want(
			store.LifecycleInService,
			"i-003",
		) // the zone of the unhealthy one is empty; of the others the older one leaves
	})
	inWorld(t, nil, func(w *world) {
		w.group(suspend(scalinggroup.HealthCheck))
		w.machine("i-001", func(i *store.Instance) { i.State = store.Terminated })
		w.pass(time.Hour)
		w.want(store.LifecycleInService, "i-001", "i-002", "i-003")
	})
	inWorld(t, suspend(scalinggroup.AddToLoadBalancer), func(w *world) {
		w.want(store.LifecycleInService, "i-001", "i-002", "i-003")
		w.group(suspend())
		w.pass(time.Hour)
		if w.fleet.calls["Register"] != 0 { // instances launched meanwhile are never registered
			t.Errorf("%v", w.fleet.calls)
		}
	})
}

func TestMaintenancePolicyLaunchesFirst(t *testing.T) {
	inWorld(t, func(g *store.ScalingGroup) {
		g.HealthCheckType, g.MinHealthy, g.MaxHealthy, g.DefaultWarmup = "ELB", 100, 110, new(int32(60))
	}, func(w *world) {
		w.pass(2 * time.Minute)
		for _, id := range []string{"i-001", "i-002", "i-003"} { // an overload: all fail their checks
			w.target(id, "unhealthy", "Target.Timeout")
		}
		w.pass(59 * time.Second)
		w.want(store.LifecycleInService, "i-001", "i-002", "i-003", "i-004") // one more than desired; none has left
		w.pass(2 * time.Second)
		w.want(store.LifecycleTerminating, "i-001")
		w.pass(20 * time.Minute)
		w.want(store.LifecycleInService, "i-004", "i-005", "i-006")
		wantCause(
			t,
			w.activities("i-001")[1],
			"an instance was taken out of service in response to an ELB system health check failure.",
		)
		wantCause(
			t,
			w.activities("i-004")[0],
			"an instance was launched in response to an unhealthy instance needing to be replaced.",
		)
	})
}

func TestUnhealthyReplacementIsReplaced(t *testing.T) {
	inWorld(t, func(g *store.ScalingGroup) {
		g.HealthCheckType, g.MinHealthy, g.MaxHealthy, g.HealthCheckGrace = "ELB", 100, 150, 60
	}, func(w *world) {
		w.pass(2 * time.Minute)
		w.fleet.sick = func(string) bool { return true }
		w.target("i-001", "unhealthy", "Target.FailedHealthChecks")
		w.pass(10 * time.Minute)
		if in := w.states()[store.LifecycleInService]; !slices.Contains(in, "i-001") || len(in) != 4 {
			t.Errorf("%v", w.states())
		}
		w.fleet.sick = nil
		w.pass(10 * time.Minute)
		if in := w.states()[store.LifecycleInService]; slices.Contains(in, "i-001") || len(in) != 3 {
			t.Errorf("%v", w.states())
		}
	})
}

func TestMaintenancePolicyKeepsItsMinimum(t *testing.T) {
	inWorld(t, func(g *store.ScalingGroup) {
		g.Desired, g.HealthCheckType, g.MinHealthy, g.MaxHealthy, g.DefaultWarmup = 6, "ELB", 50, 100, new(int32(60))
	}, func(w *world) {
		w.pass(2 * time.Minute)
		for _, id := range []string{"i-001", "i-002", "i-003", "i-004"} {
			w.target(id, "unhealthy", "Target.Timeout")
		}
		w.pass(time.Second)
		if out := w.states()[store.LifecycleTerminating]; len(
			out,
		) != 1 { // two are healthy and three should be: replace one at a time
			t.Errorf("%v", w.states())
		}
		w.pass(20 * time.Minute)
		w.want(store.LifecycleInService, "i-005", "i-006", "i-007", "i-008", "i-009", "i-010")
	})
}

func TestImpairedZoneIsNotReplaced(t *testing.T) {
	for _, c := range []struct {
		behavior, reason string
		replaced         bool
	}{
		{"IgnoreUnhealthy", "Target.Timeout", false},
		{"IgnoreUnhealthy", "Target.FailedHealthChecks", true}, // the machines answer, so the application has failed
		{"ReplaceUnhealthy", "Target.Timeout", true},
	} {
		inWorld(t, func(g *store.ScalingGroup) {
			g.HealthCheckType, g.ZonalShift, g.ImpairedHealthCheck = "ELB", true, c.behavior
		}, func(w *world) {
			w.target("i-001", "unhealthy", c.reason)
			w.pass(time.Hour)
			if got := w.fleet.calls["Launch"] > 3; got != c.replaced {
				t.Errorf("%s, %s: replaced: %v", c.behavior, c.reason, got)
			}
			w.target("i-001", "healthy", "")
			for _, id := range []string{"i-002", "i-003"} {
				w.target(id, "unhealthy", "Target.Timeout")
			}
			w.pass(time.Second)
		})
	}
}

func TestMaxLifetimeReplacesInstances(t *testing.T) {
	inWorld(t, func(g *store.ScalingGroup) { g.MaxInstanceLifetime = 86400 }, func(w *world) {
		w.pass(24*time.Hour - 2*time.Second)
		w.want(store.LifecycleInService, "i-001", "i-002", "i-003")
		w.pass(2 * time.Second)
		if len(w.states()[store.LifecycleTerminating]) == 0 {
			t.Errorf("%v", w.states())
		}
		w.pass(time.Hour)
		w.want(store.LifecycleInService, "i-004", "i-005", "i-006")
		wantCause(
			t,
			w.activities("i-001")[1],
			"an instance was taken out of service in response to maximum instance lifetime.",
		)
	})
}
