//go:build linux

package release

import (
	"errors"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/test/simulation"
)

// newGroup returns an application on which an Auto Scaling group serves r1.
func newGroup(t *testing.T) *simulation.Application {
	t.Helper()
	s := &simulation.Application{
		Cloud: simulation.New(t), Keys: t.TempDir(),
		Spec: simulation.ParseSpec(t, "../../internal/stack/testdata/scaling.yaml"),
	}
	simulation.Up(t, s.Deployment(t, &simulation.Builder{ReleaseName: "r1"}))
	return s
}

// groupServes checks that all instances run a release and belong to a group.
func groupServes(t *testing.T, s *simulation.Application, release string) {
	t.Helper()
	simulation.PlanIsEmpty(t, s.Deployment(t, &simulation.Builder{ReleaseName: release}))
	n := 0
	for _, i := range store.Instances.List(s.Store.View()) {
		if i.State == store.Terminated {
			continue
		}
		if n++; i.Tags["aloft:release"] != release || i.Tags["aloft:address"] != "member" {
			t.Errorf("%s runs release %q", i.Tags["aloft:address"], i.Tags["aloft:release"])
		}
	}
	if n != 3 {
		t.Errorf("%d machines", n)
	}
}

func TestGroupReleaseAndRollback(t *testing.T) {
	s := newGroup(t)
	groupServes(t, s, "r1")
	s.Release(t, "r2")
	groupServes(t, s, "r2")
	if _, _, err := s.Deployment(t, &simulation.Builder{ReleaseName: "r2"}).Rollback(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	groupServes(t, s, "r1")
	if got := s.Results(t); got != "r1 released, r2 rolled back, r1 released" {
		t.Error(got)
	}
}

func TestFailedGroupReleaseIsRolledBack(t *testing.T) {
	s := newGroup(t)
	_, err := s.Deployment(t, &simulation.Builder{
		ReleaseName: "r2", BuildErr: errors.New("npm install failed"),
	}).Up(t.Context())
	simulation.Contains(t, simulation.RolledBack(t, err), "npm install failed", "serves as before")
	groupServes(t, s, "r1")
	s.FailRelease("r3")
	s.FailLate.Store(true)
	s.Spec.Release.Bake = 5 * time.Second // the release fails earlier
	_, err = s.Deployment(t, &simulation.Builder{ReleaseName: "r3"}).Up(t.Context())
	simulation.Contains(t, simulation.RolledBack(t, err), "Target.Timeout", "release r1 was restored")
	groupServes(t, s, "r1")
}
