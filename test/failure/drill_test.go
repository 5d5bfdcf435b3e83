//go:build linux

package failure

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/drill"
	"aloft.dev/aloft/internal/lease"
	"aloft.dev/aloft/test/drilling"
	"aloft.dev/aloft/test/simulation"
)

// drillOptions returns options for a drill that takes milliseconds.
func drillOptions(e drill.Experiment) drill.Options {
	return drill.Options{Experiment: e, Rate: 20, Calm: 10 * time.Millisecond, Duration: 20 * time.Millisecond}
}

// asBefore checks that the cloud is as it was before the drill.
func asBefore(t *testing.T, c *simulation.Cloud) {
	t.Helper()
	view := c.Store.View()
	for _, acl := range store.NetworkACLs.List(view) {
		if !acl.IsDefault {
			t.Errorf("network ACL %s is left, associated with %v", acl.ID, acl.Associations)
		}
	}
	for _, p := range store.Parameters.List(view) {
		if strings.HasPrefix(p.Name, "/aloft/tutorial/drill") {
			t.Errorf("parameter %s is left: %s", p.Name, p.Value)
		}
	}
	for _, i := range store.Instances.List(view) {
		if i.State != store.Terminated && i.Tags[drilling.ServiceTag] == "stopped" {
			t.Errorf("the application on %s is left stopped", i.ID)
		}
	}
	associated := 0
	for _, acl := range store.NetworkACLs.List(view) {
		for _, a := range acl.Associations {
			if subnet, ok := store.Subnets.Get(view, a.SubnetID); ok && subnet.Tags["aloft:app"] == "tutorial" {
				associated++
			}
		}
	}
	if associated != 3 {
		t.Errorf("%d subnets have a network ACL, want 3", associated)
	}
	simulation.EverythingOnce(t, c)
}

func TestDrillRestoresWhatItChanged(t *testing.T) {
	for _, e := range []drill.Experiment{drill.Zone, drill.Instance, drill.Power, drill.App, drill.Freeze} {
		t.Run(string(e), func(t *testing.T) {
			c, b, keys := simulation.New(t), &simulation.Builder{ReleaseName: "r1"}, t.TempDir()
			d := simulation.Deployment(t, c.Client(t, nil), simulation.Tutorial(t), b, keys)
			status := simulation.Up(t, d)
			result, err := drilling.New(c.Client(t, nil), d).Run(t.Context(), status, drillOptions(e))
			if err != nil {
				t.Fatal(err)
			}
			if result.Restored == nil || *result.Restored < 0 || result.Victim == "" {
				t.Errorf("%+v", result.Report)
			}
			asBefore(t, c)
			simulation.PlanIsEmpty(t, d)
		})
	}
}

// The source may have moved on since a release, and aloft.yaml's variables too. A drill
// neither releases them nor is stopped by them.
func TestADrillReplacesAServerByOneOfTheServingRelease(t *testing.T) {
	c, keys := simulation.New(t), t.TempDir()
	deployment := func(release, level string) *apply.Deployment {
		s := simulation.Tutorial(t)
		s.Env = map[string]string{"LOG_LEVEL": level}
		return simulation.Deployment(t, c.Client(t, nil), s, &simulation.Builder{ReleaseName: release}, keys)
	}
	status := simulation.Up(t, deployment("r1", "info"))
	later := deployment("r2", "debug")
	if p, err := later.PlanRefill(t.Context()); err != nil || !p.Empty() {
		t.Errorf("nothing is missing, and the plan is %+v, %v", p, err)
	}
	if _, err := drilling.New(c.Client(t, nil), later).Run(t.Context(), status, drillOptions(drill.Power)); err != nil {
		t.Fatal(err)
	}
	asBefore(t, c)
	simulation.PlanIsEmpty(t, deployment("r1", "info"))
}

func TestKilledDrillIsRestoredByTheNextCommand(t *testing.T) {
	for e, atLeast := range map[drill.Experiment]int{
		drill.Zone: 6, drill.Instance: 5, drill.Power: 5, drill.App: 3, drill.Freeze: 3,
	} {
		t.Run(string(e), func(t *testing.T) {
			simulation.KillAtEveryChange(t, atLeast, func(t *testing.T, n int) string {
				c, b, keys := simulation.New(t), &simulation.Builder{ReleaseName: "r1"}, t.TempDir()
				status := simulation.Up(t, simulation.Deployment(t, c.Client(t, nil), simulation.Tutorial(t), b, keys))
				fatal := simulation.KillAtChange(
					t,
					n,
					func(ctx context.Context, around func(http.RoundTripper) http.RoundTripper) error {
						dying := c.Client(t, around)
						_, err := drilling.New(
							dying,
							simulation.Deployment(t, dying, simulation.Tutorial(t), b, keys),
						).Run(ctx, status, drillOptions(e))
						return err
					},
				)
				d := simulation.Deployment(t, c.Client(t, nil), simulation.Tutorial(t), b, keys)
				next := drilling.New(c.Client(t, nil), d)
				for range 2 { // the second has nothing to restore
					if _, err := next.Restore(t.Context(), false); err != nil {
						t.Error(err)
					}
				}
				asBefore(t, c)
				simulation.PlanIsEmpty(t, d)
				return fatal
			})
		})
	}
}

func TestKilledRestoreIsCompletedByTheNext(t *testing.T) {
	simulation.KillAtEveryChange(t, 3, func(t *testing.T, n int) string {
		c, b, keys := simulation.New(t), &simulation.Builder{ReleaseName: "r1"}, t.TempDir()
		d := simulation.Deployment(t, c.Client(t, nil), simulation.Tutorial(t), b, keys)
		status := simulation.Up(t, d)
		// The drill's fourth change isolates the zone.
		simulation.KillAtChange(t, 4, func(
			ctx context.Context, around func(http.RoundTripper) http.RoundTripper,
		) error {
			dying := c.Client(t, around)
			_, err := drilling.New(dying, d).Run(ctx, status, drillOptions(drill.Zone))
			return err
		})
		fatal := simulation.KillAtChange(t, n, func(
			ctx context.Context, around func(http.RoundTripper) http.RoundTripper,
		) error {
			_, err := drilling.New(c.Client(t, around), d).Restore(ctx, false)
			return err
		})
		if _, err := drilling.New(c.Client(t, nil), d).Restore(t.Context(), false); err != nil {
			t.Error(err)
		}
		asBefore(t, c)
		return fatal
	})
}

func TestInterruptedDrillRestoresWhatItChanged(t *testing.T) {
	c, b, keys := simulation.New(t), &simulation.Builder{ReleaseName: "r1"}, t.TempDir()
	d := simulation.Deployment(t, c.Client(t, nil), simulation.Tutorial(t), b, keys)
	status := simulation.Up(t, d)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	options := drillOptions(drill.Zone)
	options.Duration = time.Hour
	go func() {
		_, err := drilling.New(c.Client(t, nil), d).Run(ctx, status, options)
		ended <- err
	}()
	for walls := 0; walls == 0; {
		view := c.Store.View()
		for _, acl := range store.NetworkACLs.List(view) {
			if !acl.IsDefault && len(acl.Associations) > 0 {
				walls++
			}
		}
		if walls == 0 {
			if err := view.Changed(t.Context(), store.NetworkACLs); err != nil {
				t.Fatal(err)
			}
		}
	}
	stop()
	if err := <-ended; err == nil {
		t.Error("an interrupted drill has a result")
	}
	asBefore(t, c)
}

func TestDrillSparesTheLastHealthyServerUnlessForced(t *testing.T) {
	c, b, keys := simulation.New(t), &simulation.Builder{ReleaseName: "r1"}, t.TempDir()
	s := simulation.Tutorial(t)
	s.Machines.Count = 1
	d := simulation.Deployment(t, c.Client(t, nil), s, b, keys)
	status := simulation.Up(t, d)
	dr := drilling.New(c.Client(t, nil), d)
	options := drillOptions(drill.App)
	if _, err := dr.Run(t.Context(), status, options); err == nil ||
		!strings.Contains(err.Error(), "no healthy server would be left") {
		t.Errorf("got %v", err)
	}
	options.Force = true
	if _, err := dr.Run(t.Context(), status, options); err != nil {
		t.Error(err)
	}
}

func TestOnlyOneDrillRunsAtATime(t *testing.T) {
	c, b, keys := simulation.New(t), &simulation.Builder{ReleaseName: "r1"}, t.TempDir()
	d := simulation.Deployment(t, c.Client(t, nil), simulation.Tutorial(t), b, keys)
	status := simulation.Up(t, d)
	api := c.Client(t, nil)
	alive := func(pid int) *drill.Drill {
		return drill.New(drill.Config{
			App:    "tutorial",
			Client: api,
			Poll:   time.Millisecond,
			Holder: lease.Holder{User: "ada", Host: "there", PID: pid},
			Dead:   func(lease.Holder) bool { return false },
		})
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	options := drillOptions(drill.Zone)
	options.Duration = time.Hour
	first := alive(1)
	go func() {
		_, err := first.Run(ctx, status, options)
		ended <- err
	}()
	for {
		c, live, err := first.Pending(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if c != nil {
			if !live {
				t.Error("a live drill is reported as dead")
			}
			break
		}
	}
	if _, err := alive(2).Run(t.Context(), status, options); err == nil || !strings.Contains(err.Error(), "ada@there") {
		t.Errorf("got %v", err)
	}
	if _, err := alive(2).Restore(t.Context(), false); err == nil {
		t.Error("the change of a live drill was restored")
	}
	stop()
	<-ended
	asBefore(t, c)
}
