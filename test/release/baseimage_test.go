//go:build linux

package release

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/test/simulation"
)

// onBase is an application whose releases depend on their base image.
type onBase struct {
	*simulation.Application
	builder *simulation.Builder
	first   string // base image of the first release
}

func newOnBase(t *testing.T) *onBase {
	t.Helper()
	s := &simulation.Application{Cloud: simulation.New(t), Keys: t.TempDir(), Spec: simulation.Tutorial(t)}
	b := &simulation.Builder{ReleaseName: "r1", OnBase: true}
	status := simulation.Up(t, s.Deployment(t, b))
	return &onBase{Application: s, builder: b, first: status.BaseImage}
}

// publish replaces the newest image of the base images' publisher.
func (s *onBase) publish(t *testing.T, id string) {
	t.Helper()
	err := s.Store.Update(func(tx *store.Tx) error {
		image, _ := store.Images.Get(tx, s.first)
		newer := *image
		newer.ID, newer.Name = id, image.Name+"-"+id
		store.Images.Put(tx, &newer)
		for _, p := range store.Parameters.List(tx) {
			if p.Value == s.first {
				newest := *p
				newest.Value = id
				store.Parameters.Put(tx, &newest)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (s *onBase) deployment(t *testing.T, options ...func(*apply.Config)) *apply.Deployment {
	return simulation.Deployment(t, s.Client(t, nil), s.Spec, s.builder, s.Keys, options...)
}

func refresh(c *apply.Config) { c.RefreshBase = true }

// releaseOf returns the release of all running servers.
func (s *onBase) releaseOf(t *testing.T) string {
	t.Helper()
	release := ""
	for _, i := range store.Instances.List(s.Store.View()) {
		if i.State != store.Running {
			continue
		}
		if release != "" && release != i.Tags["aloft:release"] {
			t.Errorf("%s runs %s, and others %s", i.ID, i.Tags["aloft:release"], release)
		}
		release = i.Tags["aloft:release"]
	}
	return release
}

const newer = "ami-0123456789abcdef0"

func TestNewerBaseImageIsNoReleaseUntilTheUserAsks(t *testing.T) {
	s := newOnBase(t)
	s.publish(t, newer)
	d := s.deployment(t)
	simulation.PlanIsEmpty(t, d)
	p := simulation.Must(d.Plan(t.Context()))(t)
	simulation.Contains(t, p.String(), "A newer debian-12 exists: "+newer+" (now "+s.first+")", "--refresh-base")
	status := simulation.Must(d.Status(t.Context()))(t)
	if note := simulation.Must(d.NewerBaseImage(t.Context(), status))(t); !strings.Contains(note, newer) {
		t.Errorf("status says %q", note)
	}

	// A server that is gone is replaced, and nothing is built.
	gone := &ec2.TerminateInstancesInput{InstanceIds: []string{status.Machines[1].InstanceID}}
	simulation.Must(s.Client(t, nil).EC2.TerminateInstances(t.Context(), gone))(t)
	simulation.Up(t, d)
	if got := s.releaseOf(t); got != "r1-"+s.first || s.builder.Builds() != 1 {
		t.Errorf("%s serves after %d builds", got, s.builder.Builds())
	}

	simulation.Up(t, s.deployment(t, refresh))
	if got := s.releaseOf(t); got != "r1-"+newer {
		t.Errorf("after --refresh-base %s serves", got)
	}
	simulation.PlanIsEmpty(t, d) // the new one is remembered
	if p := simulation.Must(d.Plan(t.Context()))(t); len(p.Notes) != 0 {
		t.Errorf("notes %q", p.Notes)
	}
}

func TestBaseImageThatIsGoneGivesWayToTheNewest(t *testing.T) {
	s := newOnBase(t)
	s.publish(t, newer)
	err := s.Store.Update(func(tx *store.Tx) error {
		store.Images.Delete(tx, s.first)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	simulation.PlanIsEmpty(t, s.deployment(t)) // nothing has to be built
	s.builder.ReleaseName = "r2"
	var notes strings.Builder
	simulation.Up(t, s.deployment(t, func(c *apply.Config) {
		c.Events = func(e event.Event) {
			if e.Kind == event.Note {
				notes.WriteString(e.Message + "\n")
			}
		}
	}))
	newest := ""
	for _, p := range store.Parameters.List(s.Store.View()) {
		if strings.Contains(p.Name, "debian/release/12") {
			newest = p.Value
		}
	}
	if got := s.releaseOf(t); got != "r2-"+newest || newest == s.first {
		t.Errorf("%s serves", got)
	}
	gone := s.first + ", on which this deployment was built, is gone: " + newest
	if strings.Count(notes.String(), gone) != 1 {
		t.Errorf("want once: %s\n%s", gone, notes.String())
	}
}

func TestInterruptedRefreshOfTheBaseContinues(t *testing.T) {
	s := newOnBase(t)
	s.publish(t, newer)
	ctx, interrupt := context.WithTimeout(t.Context(), time.Minute)
	defer interrupt()
	s.builder.During = interrupt
	if _, err := s.deployment(t, refresh).Up(ctx); err == nil {
		t.Fatal("the run was not interrupted")
	}
	s.builder.During = nil
	simulation.Up(t, s.deployment(t))
	if got := s.releaseOf(t); got != "r1-"+newer {
		t.Errorf("%s serves", got)
	}
}
