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

// Application is a cloud with an application on it, as several releases see it.
type Application struct {
	*Cloud
	Keys string
	Spec *spec.Spec
}

// NewApplication is a site on which r1 serves.
func NewApplication(t *testing.T) *Application {
	t.Helper()
	s := &Application{Cloud: New(t), Keys: t.TempDir(), Spec: Tutorial(t)}
	Up(t, s.Deployment(t, &Builder{ReleaseName: "r1"}))
	return s
}

func (s *Application) Deployment(t *testing.T, b *Builder) *apply.Deployment {
	return Deployment(t, s.Client(t, nil), s.Spec, b, s.Keys)
}

func (s *Application) Release(t *testing.T, release string) *apply.Status {
	t.Helper()
	return Up(t, s.Deployment(t, &Builder{ReleaseName: release}))
}

// Serves checks that all three servers are of a release, that nothing else
// stands, and that no release is under way.
func (s *Application) Serves(t *testing.T, release string) {
	t.Helper()
	EverythingOnce(t, s.Cloud)
	PlanIsEmpty(t, s.Deployment(t, &Builder{ReleaseName: release}))
	for _, i := range store.Instances.List(s.Store.View()) {
		if i.State != store.Terminated && i.Tags["aloft:release"] != release {
			t.Errorf("%s is of release %q", i.Tags["aloft:address"], i.Tags["aloft:release"])
		}
	}
	for _, r := range s.History(t) {
		if r.Open() {
			t.Errorf("release %d is %s", r.Number, r.Result)
		}
	}
}

func (s *Application) History(t *testing.T) []history.Record {
	t.Helper()
	all, err := history.New(s.Client(t, nil).SSM, "tutorial").List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Results are those of the history, in short: "r1 released, r2 failed".
func (s *Application) Results(t *testing.T) string {
	t.Helper()
	var all []string
	for _, r := range s.History(t) {
		all = append(all, r.Release+" "+string(r.Result))
	}
	return strings.Join(all, ", ")
}

// FailRelease makes machines of a release unhealthy once they have served.
func (s *Application) FailRelease(release string) {
	s.FailedRelease.Store(&release)
}

// KillAtChange runs up, or what else work does, of a release with a client that is
// KillAtChange at the nth change, and tells at which call.
func (s *Application) KillAtChange(t *testing.T, n int, b *Builder, work func(context.Context, *apply.Deployment) error) string {
	return KillAtChange(t, n, func(ctx context.Context, around func(http.RoundTripper) http.RoundTripper) error {
		return work(ctx, Deployment(t, s.Client(t, around), s.Spec, b, s.Keys))
	})
}
