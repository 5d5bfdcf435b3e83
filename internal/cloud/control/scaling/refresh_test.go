//go:build linux

package scaling_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// prefer returns AWS's default preferences with a warm-up of a minute, changed by
// change.
func prefer(change func(*scalinggroup.Preferences)) scalinggroup.Preferences {
	p := scalinggroup.Preferences{
		MinHealthyPercentage: 90, InstanceWarmup: 60, CheckpointDelay: 3600, StandbyInstances: "Wait",
		ScaleInProtectedInstances: "Wait",
	}
	if change != nil {
		change(&p)
	}
	return p
}

func atMost(percent int32) *int32 { return &percent }

// version2 is a desired configuration: another version of the group's template.
var version2 = store.TemplateRef{ID: "lt-1", Name: "web", Version: "2"}

// refresh starts an instance refresh as the API does.
func (w *world) refresh(desired store.TemplateRef, p scalinggroup.Preferences) {
	w.t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		w.t.Fatal(err)
	}
	w.update(func(tx *store.Tx) {
		store.LaunchTemplates.Put(tx, &store.LaunchTemplate{
			ID: "lt-1", Region: "r", Name: "web", Default: 1, Latest: 2,
		})
		for number := range int64(2) {
			store.TemplateVersions.Put(tx, &store.LaunchTemplateVersion{
				TemplateID: "lt-1", Region: "r", Number: number + 1,
			})
		}
		store.InstanceRefreshes.Put(tx, &store.InstanceRefresh{
			ID: "refresh", Region: "r", Group: "g", Strategy: "Rolling", Preferences: string(text), Template: desired,
			Created: time.Now(), Status: store.RefreshPending,
		})
	})
	w.pass(time.Second)
}

func (w *world) refreshed() *store.InstanceRefresh {
	row, _ := store.InstanceRefreshes.Get(w.store.View(), "refresh")
	return row
}

func (w *world) status(status string) {
	w.t.Helper()
	if r := w.refreshed(); r.Status != status {
		w.t.Fatalf(
			"%s at %d%% (%s), want %s; %v\n%s", r.Status, r.Percent, r.StatusReason, status, w.states(), w.history(),
		)
	}
}

// versions counts the instances in service by template version.
func (w *world) versions() map[string]int {
	out := map[string]int{}
	for _, i := range scalinggroup.Instances(w.store.View(), key) {
		if i.State == store.LifecycleInService {
			out[i.TemplateVersion]++
		}
	}
	return out
}

// watch passes time and calls observe every second.
func (w *world) watch(d time.Duration, observe func()) {
	for range int(d / time.Second) {
		w.pass(time.Second)
		observe()
	}
}

// warm counts the instances that are in service and warmed up.
func (w *world) warm(warmup time.Duration) int {
	n := 0
	for _, i := range scalinggroup.Instances(w.store.View(), key) {
		if scalinggroup.WarmedUp(i, warmup, time.Now()) {
			n++
		}
	}
	return n
}

func TestRefreshReplacesOneByOneAndAppliesTheDesiredConfiguration(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.pass(time.Hour)
		w.refresh(version2, prefer(nil))
		w.status(store.RefreshInProgress)
		least := 3
		w.watch(4*time.Minute, func() { least = min(least, w.warm(time.Minute)) })
		zones := w.zones()
		w.status(store.RefreshSuccessful)
		r, g := w.refreshed(), w.groupRow()
		if least != 2 || w.versions()["2"] != 3 || len(w.states()[store.LifecycleInService]) != 3 ||
			zones["a"]*zones["b"]*zones["c"] != 1 {
			t.Errorf("at least %d warm, %v in %v", least, w.versions(), zones)
		}
		if r.Percent != 100 || r.Remaining != 0 || r.StatusReason != "" || r.Ended.IsZero() || g.Template != version2 {
			t.Errorf("refresh %+v, group's template %+v", r, g.Template)
		}
		a := w.activities("i-001")
		if len(a) != 2 || !strings.HasSuffix(
			a[1].Cause,
			"an instance was taken out of service in response to an instance refresh.  "+
				scalinggroup.CauseSelected(a[1].Started, "i-001"),
		) {
			t.Errorf("%+v", a)
		}
		if a := w.activities("i-004"); !strings.HasSuffix(
			a[0].Cause, "an instance was launched in response to an instance refresh.",
		) {
			t.Errorf("%+v", a[0])
		}
	})
}

func (w *world) groupRow() *store.ScalingGroup {
	g, _ := store.ScalingGroups.Get(w.store.View(), key)
	return g
}

func TestRefreshReportsProgress(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.pass(time.Hour)
		w.refresh(version2, prefer(nil))
		if r := w.refreshed(); r.Percent != 0 || r.Remaining != 3 || r.StatusReason != "Waiting for instances to "+
			"warm up before continuing. For example: i-004 is warming up." {
			t.Errorf("%+v", r)
		}
		w.pass(time.Minute)
		if r := w.refreshed(); r.Percent != 33 || r.Remaining != 2 || r.StatusReason != "Waiting for instances to "+
			"warm up before continuing. For example: i-005 is warming up." {
			t.Errorf("%+v", r)
		}
	})
}

func TestRefreshWithMaximumLaunchesFirst(t *testing.T) {
	for name, p := range map[string]scalinggroup.Preferences{
		"100 to 200": prefer(func(p *scalinggroup.Preferences) {
			p.MinHealthyPercentage, p.MaxHealthyPercentage = 100, atMost(200)
		}),
		"100 to 110": prefer(func(p *scalinggroup.Preferences) {
			p.MinHealthyPercentage, p.MaxHealthyPercentage = 100, atMost(110)
		}),
		"an explicit 100": prefer(func(p *scalinggroup.Preferences) { p.MaxHealthyPercentage = atMost(100) }),
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(g *store.ScalingGroup) { g.HealthCheckType = "ELB" }, func(w *world) {
				w.pass(time.Hour)
				w.refresh(version2, p)
				least, most := 3, 0
				w.watch(15*time.Minute, func() {
					least, most = min(least, w.warm(time.Minute)), max(most, len(w.states()[store.LifecycleInService]))
				})
				w.status(store.RefreshSuccessful)
				if want := 3 + max(1, 3*(int(*p.MaxHealthyPercentage)-100)/100); least < 3 || most != want {
					t.Errorf("from %d warm to %d in service, want 3 to %d", least, most, want)
				}
				if z := w.zones(); w.versions()["2"] != 3 || z["a"]*z["b"]*z["c"] != 1 {
					t.Errorf("%v in %v", w.versions(), z)
				}
			})
		})
	}
}

func TestRefreshWithoutMinimumReplacesAllAtOnce(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.pass(time.Hour)
		w.refresh(version2, prefer(func(p *scalinggroup.Preferences) { p.MinHealthyPercentage = 0 }))
		if got := w.versions(); got["1"] != 0 || got["2"] != 3 {
			t.Errorf("%v", got)
		}
		w.pass(2 * time.Minute)
		w.status(store.RefreshSuccessful)
	})
}

func TestSkipMatchingReplacesOnlyDifferentInstances(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.pass(time.Hour)
		skip := prefer(func(p *scalinggroup.Preferences) { p.SkipMatching = true })
		w.refresh(store.TemplateRef{}, skip)
		w.status(store.RefreshSuccessful)
		if r := w.refreshed(); r.Percent != 100 || w.fleet.calls["Launch"] != 3 {
			t.Errorf("%+v after %v", r, w.fleet.calls)
		}
		w.update(func(tx *store.Tx) {
			store.ScalingInstances.Edit(tx, "i-002", func(i *store.ScalingInstance) { i.TemplateVersion = "2" })
		})
		w.refresh(version2, skip)
		w.pass(4 * time.Minute)
		w.status(store.RefreshSuccessful)
		if _, kept := store.ScalingInstances.Get(w.store.View(), "i-002"); !kept || w.fleet.calls["Launch"] != 5 {
			t.Errorf("%v after %v", w.states(), w.fleet.calls)
		}
	})
}

func TestRefreshPausesAtCheckpoints(t *testing.T) {
	inWorld(t, func(g *store.ScalingGroup) { g.Max, g.Desired = 10, 10 }, func(w *world) {
		w.pass(time.Hour)
		w.refresh(version2, prefer(func(p *scalinggroup.Preferences) {
			p.MinHealthyPercentage, p.InstanceWarmup = 80, 600
			p.CheckpointPercentages, p.CheckpointDelay = []int32{20, 50}, 900
		}))
		at := func(after time.Duration, started int, percent int32) {
			t.Helper()
			w.pass(after)
			if r := w.refreshed(); w.versions()["2"] != started || r.Percent != percent {
				t.Fatalf(
					"%d started and %d%%, want %d and %d%%: %s", w.versions()["2"], r.Percent, started, percent,
					r.StatusReason,
				)
			}
		}
		// The example of the user guide's page on checkpoints.
		at(time.Minute, 2, 0)
		at(10*time.Minute, 2, 20)
		if r := w.refreshed(); r.Status != store.RefreshInProgress || !strings.Contains(
			r.StatusReason, "checkpoint at 20 percent",
		) {
			t.Errorf("%+v", r)
		}
		at(13*time.Minute, 2, 20)
		at(2*time.Minute, 4, 20)
		at(10*time.Minute, 5, 40)
		at(10*time.Minute, 5, 50)
		w.status(store.RefreshSuccessful)
		if g := w.groupRow(); g.Template != version2 {
			t.Errorf("group's template %+v", g.Template)
		}
	})
}

func TestCheckpointsReachedTogetherPauseOnce(t *testing.T) {
	inWorld(t, func(g *store.ScalingGroup) { g.Desired = 2 }, func(w *world) {
		w.pass(time.Hour)
		w.refresh(version2, prefer(func(p *scalinggroup.Preferences) {
			p.CheckpointPercentages, p.CheckpointDelay = []int32{10, 40, 100}, 600
		}))
		w.pass(2 * time.Minute)
		if r := w.refreshed(); r.CheckpointsPassed != 2 || !strings.Contains(r.StatusReason, "at 40 percent") {
			t.Errorf("%+v", r)
		}
		w.pass(12 * time.Minute)
		w.status(store.RefreshSuccessful)
	})
}

func TestAlarmFailsABakingRefresh(t *testing.T) {
	watched := func(p *scalinggroup.Preferences) {
		p.BakeTime, p.MinHealthyPercentage = 600, 0
		p.AlarmSpecification = &struct{ Alarms []string }{[]string{"errors"}}
	}
	for _, roll := range []bool{false, true} {
		t.Run(fmt.Sprint("with a rollback: ", roll), func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.pass(time.Hour)
				w.refresh(version2, prefer(func(p *scalinggroup.Preferences) { watched(p); p.AutoRollback = roll }))
				w.pass(2 * time.Minute)
				w.status(store.RefreshBaking)
				if w.groupRow().Template == version2 {
					t.Error("the group has the desired configuration before the bake time has passed")
				}
				w.update(func(tx *store.Tx) {
					store.Alarms.Put(tx, &store.Alarm{ARN: "a", Region: "r", Name: "errors", State: "ALARM"})
				})
				w.pass(time.Second)
				if !roll {
					w.status(store.RefreshFailed)
					if r := w.refreshed(); r.StatusReason != "CloudWatch alarm errors is in ALARM state." ||
						w.groupRow().Template.Version != "1" || w.versions()["2"] != 3 {
						t.Errorf("%+v with %v", r, w.versions())
					}
					return
				}
				w.status(store.RefreshRollbackInProgress)
				w.pass(3 * time.Minute)
				w.status(store.RefreshRollbackSuccessful)
				r := w.refreshed()
				if r.RollbackReason != "Automatic rollback was initiated. CloudWatch alarm errors is in ALARM state." ||
					r.PercentAtRollback != 100 || r.Percent != 0 || r.RemainingAtRollback != 0 || r.Remaining != 3 {
					t.Errorf("%+v", r)
				}
				if w.versions()["1"] != 3 || w.groupRow().Template.Version != "1" {
					t.Errorf("%v", w.versions())
				}
			})
		})
	}
}

func TestRefreshSucceedsAfterItsBakeTime(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.pass(time.Hour)
		w.refresh(version2, prefer(func(p *scalinggroup.Preferences) { p.BakeTime, p.MinHealthyPercentage = 600, 0 }))
		w.pass(10 * time.Minute)
		w.status(store.RefreshBaking)
		w.pass(2 * time.Minute)
		w.status(store.RefreshSuccessful)
	})
}

// A refresh whose instances never pass the load balancer's check takes out at most one
// old instance and fails after an hour.
func TestRefreshFailsIfInstancesNeverBecomeHealthy(t *testing.T) {
	for _, roll := range []bool{false, true} {
		t.Run(fmt.Sprint("with a rollback: ", roll), func(t *testing.T) {
			inWorld(t, func(g *store.ScalingGroup) {
				g.HealthCheckType, g.HealthCheckGrace = "ELB", 120
			}, func(w *world) {
				w.pass(time.Hour)
				w.fleet.sick = func(id string) bool {
					i, _ := store.Instances.Get(w.store.View(), id)
					return i.Tags["aws:ec2launchtemplate:version"] == "2"
				}
				w.refresh(version2, prefer(func(p *scalinggroup.Preferences) { p.AutoRollback = roll }))
				least := 3
				w.watch(55*time.Minute, func() { least = min(least, w.versions()["1"]) })
				w.status(store.RefreshInProgress)
				if r := w.refreshed(); least != 2 || r.Percent != 0 {
					t.Errorf("%d old instances were left; %+v", least, r)
				}
				w.pass(10 * time.Minute)
				if !roll {
					w.status(store.RefreshFailed)
					if r := w.refreshed(); !strings.HasPrefix(
						r.StatusReason, "The instance refresh could not replace instances for one hour. ",
					) {
						t.Errorf("%+v", r)
					}
					w.pass(10 * time.Minute)
					if w.versions()["1"] != 3 {
						t.Errorf("the group did not return to its own configuration: %v", w.versions())
					}
					return
				}
				w.pass(5 * time.Minute)
				w.status(store.RefreshRollbackSuccessful)
				if w.versions()["1"] != 3 || w.versions()["2"] != 0 {
					t.Errorf("%v", w.versions())
				}
			})
		})
	}
}

func TestLaunchFirstKeepsOldInstancesUntilNewOnesAreHealthy(t *testing.T) {
	inWorld(t, func(g *store.ScalingGroup) { g.HealthCheckType, g.HealthCheckGrace = "ELB", 120 }, func(w *world) {
		w.pass(time.Hour)
		w.fleet.sick = func(id string) bool {
			i, _ := store.Instances.Get(w.store.View(), id)
			return i.Tags["aws:ec2launchtemplate:version"] == "2"
		}
		w.refresh(version2, prefer(func(p *scalinggroup.Preferences) {
			p.MinHealthyPercentage, p.MaxHealthyPercentage, p.AutoRollback = 100, atMost(150), true
		}))
		least := 3
		w.watch(80*time.Minute, func() { least = min(least, w.versions()["1"]) })
		w.status(store.RefreshRollbackSuccessful)
		if least != 3 || w.versions()["1"] != 3 || w.versions()["2"] != 0 {
			t.Errorf("at least %d old instances, finally %v", least, w.versions())
		}
	})
}

func TestRefreshTreatsStandbyAndProtectedInstancesAsPreferred(t *testing.T) {
	for _, test := range []struct {
		standby, protected string
		status             string
		replaced           int
		standbyStays       bool
		reason             string
	}{
		{"Ignore", "Ignore", store.RefreshSuccessful, 1, true, ""},
		{"Terminate", "Refresh", store.RefreshSuccessful, 2, false, ""},
		{
			"Ignore", "Wait", store.RefreshFailed, 1, true,
			"The instance refresh could not replace instances for one hour. Waiting for remaining instances to be " +
				"available. For example: i-002 is protected from scale in. Remove its scale-in protection to continue.",
		},
		{
			"Wait", "Refresh", store.RefreshFailed, 2, true,
			"The instance refresh could not replace instances for one hour. Waiting for remaining instances to be " +
				"available. For example: i-001 is in Standby. Return it to service, or terminate it, to continue.",
		},
	} {
		t.Run(test.standby+" and "+test.protected, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.pass(time.Hour)
				w.update(func(tx *store.Tx) {
					store.ScalingInstances.Edit(tx, "i-001", func(i *store.ScalingInstance) {
						scalinggroup.SetLifecycleState(i, store.LifecycleEnteringStandby, time.Now())
					})
					store.ScalingInstances.Edit(tx, "i-002", func(i *store.ScalingInstance) { i.Protected = true })
					store.ScalingGroups.Edit(tx, key, func(g *store.ScalingGroup) { g.Desired = 2 })
				})
				w.pass(2 * time.Minute)
				w.refresh(version2, prefer(func(p *scalinggroup.Preferences) {
					p.StandbyInstances, p.ScaleInProtectedInstances = test.standby, test.protected
				}))
				w.pass(55 * time.Minute)
				if test.status == store.RefreshFailed {
					w.status(store.RefreshInProgress)
				}
				w.pass(10 * time.Minute)
				w.status(test.status)
				if r := w.refreshed(); w.versions()["2"] != test.replaced ||
					(len(w.states()[store.LifecycleStandby]) == 1) != test.standbyStays ||
					r.StatusReason != test.reason {
					t.Errorf("%v, %v, %q", w.versions(), w.states(), r.StatusReason)
				}
			})
		})
	}
}

func TestSuspendedRefreshReplacesNothing(t *testing.T) {
	inWorld(t, func(g *store.ScalingGroup) {
		g.Suspended = []store.SuspendedProcess{{Name: "InstanceRefresh"}}
	}, func(w *world) {
		w.pass(time.Hour)
		w.refresh(version2, prefer(nil))
		w.pass(30 * time.Minute)
		if r := w.refreshed(); w.versions()["1"] != 3 || r.Status != store.RefreshInProgress || !strings.Contains(
			r.StatusReason, "InstanceRefresh",
		) {
			t.Errorf("%+v with %v", r, w.versions())
		}
		w.group(func(g *store.ScalingGroup) { g.Suspended = nil })
		w.pass(5 * time.Minute)
		w.status(store.RefreshSuccessful)
	})
}

func TestGrowthDuringRefreshUsesTheDesiredConfiguration(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.pass(time.Hour)
		w.refresh(version2, prefer(nil))
		w.desire(5)
		if got := w.versions(); got["2"] != 3 || got["1"] != 2 {
			t.Errorf("%v", got)
		}
		w.pass(10 * time.Minute)
		w.status(store.RefreshSuccessful)
		if got := w.versions(); got["2"] != 5 {
			t.Errorf("%v", got)
		}
	})
}
