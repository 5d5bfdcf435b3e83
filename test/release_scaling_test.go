package e2e

import (
	"errors"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// newGroup is a site on which a scaling group serves r1.
func newGroup(t *testing.T) *site {
	t.Helper()
	s := &site{cloud: newCloud(t), keys: t.TempDir(), spec: parse(t, "../internal/stack/testdata/scaling.yaml")}
	up(t, s.of(t, &installer{release: "r1"}))
	return s
}

// groupServes checks that all machines that stand are of a release and in a
// group.
func (s *site) groupServes(t *testing.T, release string) {
	t.Helper()
	nothingToDo(t, s.of(t, &installer{release: release}))
	n := 0
	for _, i := range store.Instances.List(s.store.View()) {
		if i.State == store.Terminated {
			continue
		}
		if n++; i.Tags["aloft:release"] != release || i.Tags["aloft:address"] != "member" {
			t.Errorf("%s is of release %q", i.Tags["aloft:address"], i.Tags["aloft:release"])
		}
	}
	if n != 3 {
		t.Errorf("%d machines", n)
	}
}

func TestAGroupGetsAReleaseAndGoesBack(t *testing.T) {
	s := newGroup(t)
	s.groupServes(t, "r1")
	s.release(t, "r2")
	s.groupServes(t, "r2")
	if _, _, err := s.of(t, &installer{release: "r2"}).Rollback(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	s.groupServes(t, "r1")
	if got := s.results(t); got != "r1 released, r2 rolled back, r1 released" {
		t.Error(got)
	}
}

func TestAGroupsReleaseThatFailsIsTakenBack(t *testing.T) {
	s := newGroup(t)
	_, err := s.of(t, &installer{release: "r2", err: errors.New("npm install failed")}).Up(t.Context())
	contains(t, failure(t, err), "npm install failed", "serves as before")
	s.groupServes(t, "r1")
	s.ails("r3")
	s.late.Store(true)
	s.spec.Release.Bake = 5 * time.Second // it ends before
	_, err = s.of(t, &installer{release: "r3"}).Up(t.Context())
	contains(t, failure(t, err), "Target.Timeout", "release r1 was brought back")
	s.groupServes(t, "r1")
}
