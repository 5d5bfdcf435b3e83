//go:build linux

package release

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/test/simulation"
)

// images lists the releases that have an image.
func images(t *testing.T, s *simulation.Application) string {
	t.Helper()
	var all []string
	for _, i := range store.Images.List(s.Store.View()) {
		if !i.Public {
			all = append(all, i.Tags["aloft:release"])
		}
	}
	return strings.Join(all, " ")
}

func TestServingReleaseIsUntouchedUntilTheNextIsProven(t *testing.T) {
	s := simulation.NewApplication(t)
	before := simulation.InstanceIDs(s.Release(t, "r1"))
	second := &simulation.Builder{ReleaseName: "r2"}
	untouched := func() {
		status, err := s.Deployment(t, second).Status(t.Context())
		if err != nil || !maps.Equal(simulation.InstanceIDs(status), before) {
			t.Errorf("%v: %v, before %v", err, simulation.InstanceIDs(status), before)
		}
		for _, m := range status.Machines {
			if m.Health != "healthy" {
				t.Errorf("%+v", m)
			}
		}
	}
	second.During = untouched
	simulation.Up(t, s.Deployment(t, second))
	if second.Builds() != 1 || second.Proofs() != 1 {
		t.Errorf("built %d times, proven %d times", second.Builds(), second.Proofs())
	}
	s.Serves(t, "r2")
	if got := s.Results(t); got != "r1 released, r2 released" {
		t.Error(got)
	}
	last := s.History(t)[1]
	if last.Source != "a folder of r2" || last.Before != 1 || last.Image == "" || !strings.Contains(last.By, "@") ||
		last.Ended.Before(last.Started) {
		t.Errorf("%+v", last)
	}
}

func TestReleaseWithAnImageIsNotBuiltAgain(t *testing.T) {
	s := simulation.NewApplication(t)
	s.Release(t, "r2")
	first := &simulation.Builder{ReleaseName: "r1"}
	simulation.Up(t, s.Deployment(t, first))
	if first.Builds() != 0 || first.Proofs() != 1 {
		t.Errorf("built %d times, proven %d times", first.Builds(), first.Proofs())
	}
	s.Serves(t, "r1")
}

func TestUnprovenReleaseChangesNothing(t *testing.T) {
	npm, crash := errors.New("npm install failed"), &diag.Diagnostic{
		Where:   "candidate",
		Summary: "prove that it answers failed",
		Detail:  "the service ended after 20 s",
	}
	for name, b := range map[string]*simulation.Builder{
		"its install fails": {ReleaseName: "r2", BuildErr: npm},
		"it crashes":        {ReleaseName: "r2", ProveErr: crash},
	} {
		t.Run(name, func(t *testing.T) {
			s := simulation.NewApplication(t)
			before := simulation.InstanceIDs(s.Release(t, "r1"))
			_, err := s.Deployment(t, b).Up(t.Context())
			told := simulation.RolledBack(t, err)
			simulation.Contains(
				t,
				told,
				"release r2 (2): failed; release r1 serves as before",
				"aloft-tutorial.service: active (running)",
				"log: hello",
			)
			if b.BuildErr != nil {
				simulation.Contains(t, told, "npm install failed")
			} else {
				simulation.Contains(t, told, "the service ended after 20 s")
			}
			status, err := s.Deployment(t, b).Status(t.Context())
			if err != nil || !maps.Equal(simulation.InstanceIDs(status), before) {
				t.Errorf("%v: %v, before %v", err, simulation.InstanceIDs(status), before)
			}
			s.Serves(t, "r1")
			last := s.History(t)[1]
			if last.Result != history.Failed || !strings.Contains(told, last.Reason) {
				t.Errorf("%+v", last)
			}
			// Once fixed, the release comes into service.
			b.BuildErr, b.ProveErr = nil, nil
			simulation.Up(t, s.Deployment(t, b))
			s.Serves(t, "r2")
		})
	}
}

func TestUnhealthyReleaseIsRolledBack(t *testing.T) {
	s := simulation.NewApplication(t)
	s.FailRelease("r2")
	s.Spec.Release.Bake = 5 * time.Second // the release fails earlier
	_, err := s.Deployment(t, &simulation.Builder{ReleaseName: "r2"}).Up(t.Context())
	simulation.Contains(
		t,
		simulation.RolledBack(t, err),
		"does not stay healthy: it is unhealthy, Target.Timeout: Request timed out",
		"release r1 was restored",
		"log: hello",
	)
	s.Serves(t, "r1")
	if got := s.Results(t); got != "r1 released, r2 failed" {
		t.Error(got)
	}
}

// answers adds requests and errors to the load balancer's metrics.
func answers(s *simulation.Application, requests, errors float64) {
	arn := store.LoadBalancers.List(s.Store.View())[0].ARN
	_, name, _ := strings.Cut(arn, ":loadbalancer/")
	for metricName, n := range map[string]float64{"RequestCount": requests, "HTTPCode_Target_5XX_Count": errors} {
		s.Metrics.Add(
			simulation.Region,
			metric.NewID("AWS/ApplicationELB", metricName, metric.Dimension{Name: "LoadBalancer", Value: name}),
			time.Now(),
			"Count",
			metric.SummaryOfSet(n, n, 1, 1),
		)
	}
}

func TestReleaseWithMoreErrorsIsRolledBack(t *testing.T) {
	s := simulation.NewApplication(t)
	s.Spec.Release.Bake = 5 * time.Second // the release fails earlier
	b := &simulation.Builder{ReleaseName: "r2"}
	whenServing(t, s, "r2", func() { answers(s, 1000, 200) })
	_, err := s.Deployment(t, b).Up(t.Context())
	simulation.Contains(
		t,
		simulation.RolledBack(t, err),
		"load-balancer: 20.0 % of requests ended with 5xx (200 of 1000",
		"0.0 % of requests",
		"release r1 was restored",
	)
	s.Serves(t, "r1")
}

func TestFewErrorsDoNotRollBack(t *testing.T) {
	s := simulation.NewApplication(t)
	whenServing(t, s, "r2", func() { answers(s, 20, 9) })
	s.Release(t, "r2")
	s.Serves(t, "r2")
}

// whenServing calls do in the background once servers of the release serve. The
// test waits for it.
func whenServing(t *testing.T, s *simulation.Application, release string, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if simulation.Happens(func() bool { return counts(s, release) > 0 }) {
			do()
		} else {
			t.Errorf("%s did not serve", release)
		}
	}()
	t.Cleanup(func() { <-done })
}

// counts returns how many servers of a release have served.
func counts(s *simulation.Application, release string) int {
	n := 0
	for _, i := range store.Instances.List(s.Store.View()) {
		if i.State == store.Running && i.Tags["aloft:release"] == release && i.Tags["aloft:served"] != "" {
			n++
		}
	}
	return n
}

func TestPortChangeKeepsBothPortsOpenMeanwhile(t *testing.T) {
	s := simulation.NewApplication(t)
	s.Spec.Port = 8080
	b := &simulation.Builder{ReleaseName: "r2"}
	var both atomic.Int64
	look := func() {
		if ports := ports(s); ports[3000] && ports[8080] {
			both.Add(1)
		}
	}
	s.OnHealthCheck.Store(&look)
	simulation.Up(t, s.Deployment(t, b))
	s.Serves(t, "r2")
	if ports := ports(s); both.Load() == 0 || ports[3000] || !ports[8080] {
		t.Errorf("seen with both ports %d times, open now: %v", both.Load(), ports)
	}
	// A rollback restores the release's port, whatever the file says.
	if _, _, err := s.Deployment(t, b).Rollback(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if ports := ports(s); !ports[3000] || ports[8080] {
		t.Errorf("open now: %v", ports)
	}
	s.Spec.Port = 3000
	s.Serves(t, "r1")
}

// ports returns the ports that the load balancer may reach on servers.
func ports(s *simulation.Application) map[int]bool {
	open := map[int]bool{}
	for _, g := range store.SecurityGroups.List(s.Store.View()) {
		for _, rule := range g.Rules {
			if g.Name == "tutorial-app" && rule.GroupID != "" {
				open[rule.FromPort] = true
			}
		}
	}
	return open
}

func TestOldImagesAreDeletedUnlessARollbackNeedsThem(t *testing.T) {
	s := simulation.NewApplication(t)
	s.Spec.Release.Keep = 2
	for _, release := range []string{"r2", "r3", "r4"} {
		s.Release(t, release)
	}
	s.Serves(t, "r4")
	if got := images(t, s); got != "r3 r4" && got != "r4 r3" {
		t.Errorf("images of %s are left", got)
	}
	snapshots := 0
	for _, snapshot := range store.Snapshots.List(s.Store.View()) {
		if snapshot.Tags["aloft:app"] == "tutorial" {
			snapshots++
		}
	}
	if snapshots != 2 {
		t.Errorf("%d snapshots are left", snapshots)
	}
	_, _, err := s.Deployment(t, &simulation.Builder{ReleaseName: "r4"}).Rollback(t.Context(), "1")
	if err == nil || !strings.Contains(err.Error(), "release r1: has no image left") {
		t.Error(err)
	}
	s.Serves(t, "r4")
}

func TestRollbackGoesToTheLastGoodReleaseThenFurther(t *testing.T) {
	s := simulation.NewApplication(t)
	s.Release(t, "r2")
	if _, err := s.Deployment(t, &simulation.Builder{
		ReleaseName: "r3", BuildErr: errors.New("no"),
	}).Up(t.Context()); err == nil {
		t.Fatal("the bad release r3 came into service")
	}
	s.Release(t, "r4")
	back := func(want string, name string) {
		t.Helper()
		b := &simulation.Builder{ReleaseName: "r4"}
		_, to, err := s.Deployment(t, b).Rollback(t.Context(), name)
		if err != nil || to.Release != want {
			t.Fatalf("%v, %+v", err, to)
		}
		if b.Builds()+b.Proofs() != 0 {
			t.Errorf("the rollback built %d times and proved %d times", b.Builds(), b.Proofs())
		}
		s.Serves(t, want)
	}
	back("r2", "")
	back("r1", "")
	_, _, err := s.Deployment(t, &simulation.Builder{ReleaseName: "r4"}).Rollback(t.Context(), "")
	if err == nil || !strings.Contains(err.Error(), "no other release came into service before it") {
		t.Error(err)
	}
	back("r4", "4") // forward again
	for name, want := range map[string]string{
		"3": "it is failed", "77": "is not in the history", "elsewhere": "is not in the history",
	} {
		if _, _, err := s.Deployment(
			t, &simulation.Builder{ReleaseName: "r4"},
		).Rollback(t.Context(), name); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	const want = "r1 rolled back, r2 rolled back, r3 failed, r4 rolled back, r2 rolled back, " +
		"r1 rolled back, r4 released"
	if got := s.Results(t); got != want {
		t.Error(got)
	}
	releases, err := s.Deployment(t, &simulation.Builder{ReleaseName: "r4"}).Releases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range releases {
		if r.Serves != (r.Number == 7) || r.HasImage != (r.Release != "r3") {
			t.Errorf("%+v", r)
		}
	}
}

func TestPlanNamesTheRelease(t *testing.T) {
	s := simulation.NewApplication(t)
	p, err := s.Deployment(t, &simulation.Builder{ReleaseName: "r2"}).Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	simulation.Contains(t, p.String(), "create  builder", "create  candidate", "replace server-1", "delete  candidate")
}

func TestDownDeletesTheHistory(t *testing.T) {
	s := simulation.NewApplication(t)
	s.Release(t, "r2")
	if err := s.Deployment(
		t, &simulation.Builder{ReleaseName: "r2"},
	).Down(t.Context(), apply.DownOptions{Images: true}); err != nil {
		t.Fatal(err)
	}
	simulation.NothingLeft(t, s.Cloud)
}

func TestRollbackWithoutHistory(t *testing.T) {
	s := simulation.NewApplication(t)
	if err := history.New(s.Client(t, nil).SSM, "tutorial").Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.FailRelease("r2")
	s.Spec.Release.Bake = 5 * time.Second
	_, err := s.Deployment(t, &simulation.Builder{ReleaseName: "r2"}).Up(t.Context())
	simulation.Contains(t, simulation.RolledBack(t, err), "release r1 was restored")
	s.Serves(t, "r1")
}

func TestStoppedReleaseGivesWayToThePreviousOne(t *testing.T) {
	s := simulation.NewApplication(t)
	ctx, stop := context.WithCancel(t.Context())
	b := &simulation.Builder{ReleaseName: "r2"}
	whenServing(t, s, "r2", stop)
	s.Spec.Release.Bake = time.Minute
	if _, err := s.Deployment(t, b).Up(ctx); err == nil || !strings.Contains(err.Error(), "stopped") {
		t.Fatal(err)
	}
	if got := s.Results(t); got != "r1 released, r2 in progress" {
		t.Error(got)
	}
	s.Release(t, "r1")
	s.Serves(t, "r1")
	if got := s.Results(t); got != "r1 released, r2 failed" {
		t.Error(got)
	}
}

func TestLostServerDoesNotFailTheRelease(t *testing.T) {
	s := simulation.NewApplication(t)
	before := simulation.InstanceIDs(s.Release(t, "r1"))
	b := &simulation.Builder{ReleaseName: "r2"}
	b.During = func() {
		_, err := s.Client(t, nil).EC2.TerminateInstances(
			t.Context(),
			&ec2.TerminateInstancesInput{InstanceIds: []string{before["server-3"]}},
		)
		if err != nil {
			t.Error(err)
		}
	}
	simulation.Up(t, s.Deployment(t, b))
	s.Serves(t, "r2")
}
