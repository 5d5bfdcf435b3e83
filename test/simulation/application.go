//go:build linux

package simulation

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/spec"
)

// Application is the tutorial on a cloud of its own, through several releases.
type Application struct {
	*Cloud
	Keys string
	Spec *spec.Spec
}

// NewApplication returns the tutorial with release r1 in service.
func NewApplication(t *testing.T) *Application {
	t.Helper()
	s := &Application{Cloud: New(t), Keys: t.TempDir(), Spec: Tutorial(t)}
	Up(t, s.Deployment(t, &Builder{ReleaseName: "r1"}))
	return s
}

// Deployment returns a deployment of the application with a builder.
func (s *Application) Deployment(t *testing.T, b *Builder) *apply.Deployment {
	return Deployment(t, s.Client(t, nil), s.Spec, b, s.Keys)
}

// Release brings a release into service.
func (s *Application) Release(t *testing.T, release string) *apply.Status {
	t.Helper()
	return Up(t, s.Deployment(t, &Builder{ReleaseName: release}))
}

// Serves checks that all three servers run a release, that no other resource
// exists, and that no release is in progress.
func (s *Application) Serves(t *testing.T, release string) {
	t.Helper()
	EverythingOnce(t, s.Cloud)
	PlanIsEmpty(t, s.Deployment(t, &Builder{ReleaseName: release}))
	for _, i := range store.Instances.List(s.Store.View()) {
		if i.State != store.Terminated && i.Tags["aloft:release"] != release {
			t.Errorf("%s runs release %q", i.Tags["aloft:address"], i.Tags["aloft:release"])
		}
	}
	for _, r := range s.History(t) {
		if r.Open() {
			t.Errorf("release %d is %s", r.Number, r.Result)
		}
	}
}

// History returns the application's releases.
func (s *Application) History(t *testing.T) []history.Record {
	t.Helper()
	all, err := history.New(s.Client(t, nil).SSM, "tutorial").List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Results returns the history in short, such as "r1 released, r2 failed".
func (s *Application) Results(t *testing.T) string {
	t.Helper()
	var all []string
	for _, r := range s.History(t) {
		all = append(all, r.Release+" "+string(r.Result))
	}
	return strings.Join(all, ", ")
}

// FailRelease makes the servers of a release unhealthy after they served.
func (s *Application) FailRelease(release string) {
	s.FailedRelease.Store(&release)
}

// KillAtChange runs work with a deployment that is killed at its nth change. It
// returns the operation of that change, or "" if work ended before.
func (s *Application) KillAtChange(
	t *testing.T, n int, b *Builder, work func(context.Context, *apply.Deployment) error,
) string {
	return KillAtChange(t, n, func(ctx context.Context, around func(http.RoundTripper) http.RoundTripper) error {
		return work(ctx, Deployment(t, s.Client(t, around), s.Spec, b, s.Keys))
	})
}
