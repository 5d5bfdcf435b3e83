package e2e

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
	"aloft.dev/aloft/internal/spec"
)

// site is a cloud with an application on it, as several releases see it.
type site struct {
	*cloud
	keys string
	spec *spec.Spec
}

// newSite is a site on which r1 serves.
func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{cloud: newCloud(t), keys: t.TempDir(), spec: tutorial(t)}
	up(t, s.of(t, &installer{release: "r1"}))
	return s
}

func (s *site) of(t *testing.T, b *installer) *apply.Deployment {
	return deployment(t, s.client(t, nil), s.spec, b, s.keys)
}

func (s *site) release(t *testing.T, release string) *apply.Status {
	t.Helper()
	return up(t, s.of(t, &installer{release: release}))
}

// serves checks that all three servers are of a release, that nothing else
// stands, and that no release is under way.
func (s *site) serves(t *testing.T, release string) {
	t.Helper()
	once(t, s.cloud)
	nothingToDo(t, s.of(t, &installer{release: release}))
	for _, i := range store.Instances.List(s.store.View()) {
		if i.State != store.Terminated && i.Tags["aloft:release"] != release {
			t.Errorf("%s is of release %q", i.Tags["aloft:address"], i.Tags["aloft:release"])
		}
	}
	for _, r := range s.history(t) {
		if r.Open() {
			t.Errorf("release %d is %s", r.Number, r.Result)
		}
	}
}

func (s *site) history(t *testing.T) []history.Record {
	t.Helper()
	all, err := history.New(s.client(t, nil).SSM, "tutorial").List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// results are those of the history, in short: "r1 released, r2 failed".
func (s *site) results(t *testing.T) string {
	t.Helper()
	var all []string
	for _, r := range s.history(t) {
		all = append(all, r.Release+" "+string(r.Result))
	}
	return strings.Join(all, ", ")
}

func (s *site) images(t *testing.T) string {
	t.Helper()
	var all []string
	for _, i := range store.Images.List(s.store.View()) {
		if !i.Public {
			all = append(all, i.Tags["aloft:release"])
		}
	}
	return strings.Join(all, " ")
}

// failure demands that a release failed and was taken back, and gives what is
// told of it.
func failure(t *testing.T, err error) string {
	t.Helper()
	var f *apply.Failure
	if !errors.As(err, &f) {
		t.Fatalf("no failure that was taken back: %v", err)
	}
	var text strings.Builder
	for _, d := range diag.From(err) {
		text.WriteString(d.Error() + "\n" + d.Detail + "\n" + d.Hint + "\n")
	}
	return text.String()
}

func contains(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%q is not in\n%s", word, text)
		}
	}
}

// ails makes machines of a release unhealthy once they have served.
func (s *site) ails(release string) {
	s.sick.Store(&release)
}

func TestWhatServesIsNotTouchedUntilTheReleaseIsProven(t *testing.T) {
	s := newSite(t)
	before := ids(s.release(t, "r1"))
	second := &installer{release: "r2"}
	untouched := func() {
		status, err := s.of(t, second).Status(t.Context())
		if err != nil || !maps.Equal(ids(status), before) {
			t.Errorf("%v: %v, before %v", err, ids(status), before)
		}
		for _, m := range status.Machines {
			if m.Health != "healthy" {
				t.Errorf("%+v", m)
			}
		}
	}
	second.meanwhile = untouched
	up(t, s.of(t, second))
	if second.count() != 1 || second.proofs != 1 {
		t.Errorf("built %d times, proven %d times", second.count(), second.proofs)
	}
	s.serves(t, "r2")
	if got := s.results(t); got != "r1 released, r2 released" {
		t.Error(got)
	}
	last := s.history(t)[1]
	if last.Source != "a folder of r2" || last.Before != 1 || last.Image == "" || !strings.Contains(last.By, "@") ||
		last.Ended.Before(last.Started) {
		t.Errorf("%+v", last)
	}
}

func TestAReleaseThatWasMadeBeforeIsNotMadeAgain(t *testing.T) {
	s := newSite(t)
	s.release(t, "r2")
	first := &installer{release: "r1"}
	up(t, s.of(t, first))
	if first.count() != 0 || first.proofs != 1 {
		t.Errorf("built %d times, proven %d times", first.count(), first.proofs)
	}
	s.serves(t, "r1")
}

func TestAReleaseThatIsNotProvenTouchesNothing(t *testing.T) {
	npm, crash := errors.New(
		"npm install failed",
	), &diag.Diagnostic{
		Where:   "candidate",
		Summary: "prove that it answers failed",
		Detail:  "the service ended after 20 s",
	}
	for name, b := range map[string]*installer{
		"its install fails": {release: "r2", err: npm},
		"it crashes":        {release: "r2", unproven: crash},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			before := ids(s.release(t, "r1"))
			_, err := s.of(t, b).Up(t.Context())
			told := failure(t, err)
			contains(
				t,
				told,
				"release r2 (2): failed; release r1 serves as before",
				"aloft-tutorial.service: active (running)",
				"log: hello",
			)
			if b.err != nil {
				contains(t, told, "npm install failed")
			} else {
				contains(t, told, "the service ended after 20 s")
			}
			status, err := s.of(t, b).Status(t.Context())
			if err != nil || !maps.Equal(ids(status), before) {
				t.Errorf("%v: %v, before %v", err, ids(status), before)
			}
			s.serves(t, "r1")
			last := s.history(t)[1]
			if last.Result != history.Failed || !strings.Contains(told, last.Reason) {
				t.Errorf("%+v", last)
			}
			// Mended, it comes into service.
			b.err, b.unproven = nil, nil
			up(t, s.of(t, b))
			s.serves(t, "r2")
		})
	}
}

func TestAReleaseThatDoesNotStayHealthyIsTakenBack(t *testing.T) {
	s := newSite(t)
	s.ails("r2")
	s.spec.Release.Bake = 5 * time.Second // it ends before
	_, err := s.of(t, &installer{release: "r2"}).Up(t.Context())
	contains(
		t,
		failure(t, err),
		"does not stay well: it is unhealthy, Target.Timeout: Request timed out",
		"release r1 was brought back",
		"log: hello",
	)
	s.serves(t, "r1")
	if got := s.results(t); got != "r1 released, r2 failed" {
		t.Error(got)
	}
}

// answers lets the load balancer count requests of which some fail.
func (s *site) answers(requests, errors float64) {
	arn := store.LoadBalancers.List(s.store.View())[0].ARN
	_, name, _ := strings.Cut(arn, ":loadbalancer/")
	for metricName, n := range map[string]float64{"RequestCount": requests, "HTTPCode_Target_5XX_Count": errors} {
		s.metrics.Add(
			region,
			metric.NewID("AWS/ApplicationELB", metricName, metric.Dimension{Name: "LoadBalancer", Value: name}),
			time.Now(),
			"Count",
			metric.Set(n, n, 1, 1),
		)
	}
}

func TestAReleaseWithMoreErrorsThanBeforeIsTakenBack(t *testing.T) {
	s := newSite(t)
	s.spec.Release.Bake = 5 * time.Second // it ends before
	b := &installer{release: "r2"}
	s.whenServing(t, "r2", func() { s.answers(1000, 200) })
	_, err := s.of(t, b).Up(t.Context())
	contains(
		t,
		failure(t, err),
		"load-balancer: 20.0 % of requests ended with 5xx (200 of 1000",
		"0.0 % of requests",
		"release r1 was brought back",
	)
	s.serves(t, "r1")
}

func TestAFewErrorsAreNoReasonToGoBack(t *testing.T) {
	s := newSite(t)
	s.whenServing(t, "r2", func() { s.answers(20, 9) })
	s.release(t, "r2")
	s.serves(t, "r2")
}

// whenServing has do done, meanwhile, when machines of the release serve. The test ends
// after that.
func (s *site) whenServing(t *testing.T, release string, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if happens(func() bool { return s.counts(release) > 0 }) {
			do()
		} else {
			t.Errorf("%s did not serve", release)
		}
	}()
	t.Cleanup(func() { <-done })
}

// counts are the machines of a release that have served.
func (s *site) counts(release string) int {
	n := 0
	for _, i := range store.Instances.List(s.store.View()) {
		if i.State == store.Running && i.Tags["aloft:release"] == release && i.Tags["aloft:served"] != "" {
			n++
		}
	}
	return n
}

func TestAReleaseOnAnotherPortIsReachedTogetherWithTheOneBefore(t *testing.T) {
	s := newSite(t)
	s.spec.Port = 8080
	b := &installer{release: "r2"}
	var both atomic.Int64
	look := func() {
		if ports := s.ports(); ports[3000] && ports[8080] {
			both.Add(1)
		}
	}
	s.watched.Store(&look)
	up(t, s.of(t, b))
	s.serves(t, "r2")
	if ports := s.ports(); both.Load() == 0 || ports[3000] || !ports[8080] {
		t.Errorf("seen with both ports %d times, open now: %v", both.Load(), ports)
	}
	// Going back takes the port along, though the file says otherwise.
	if _, _, err := s.of(t, b).Rollback(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if ports := s.ports(); !ports[3000] || ports[8080] {
		t.Errorf("open now: %v", ports)
	}
	s.spec.Port = 3000
	s.serves(t, "r1")
}

// ports are those of the machines on which the load balancer reaches them.
func (s *site) ports() map[int]bool {
	open := map[int]bool{}
	for _, g := range store.SecurityGroups.List(s.store.View()) {
		for _, rule := range g.Rules {
			if g.Name == "tutorial-app" && rule.GroupID != "" {
				open[rule.FromPort] = true
			}
		}
	}
	return open
}

func TestOldImagesGoAndThoseThatMayBeNeededStay(t *testing.T) {
	s := newSite(t)
	s.spec.Release.Keep = 2
	for _, release := range []string{"r2", "r3", "r4"} {
		s.release(t, release)
	}
	s.serves(t, "r4")
	if got := s.images(t); got != "r3 r4" && got != "r4 r3" {
		t.Errorf("images of %s are left", got)
	}
	snapshots := 0
	for _, snapshot := range store.Snapshots.List(s.store.View()) {
		if snapshot.Tags["aloft:app"] == "tutorial" {
			snapshots++
		}
	}
	if snapshots != 2 {
		t.Errorf("%d snapshots are left", snapshots)
	}
	_, _, err := s.of(t, &installer{release: "r4"}).Rollback(t.Context(), "1")
	if err == nil || !strings.Contains(err.Error(), "release r1: has no image any more") {
		t.Error(err)
	}
	s.serves(t, "r4")
}

func TestARollbackGoesToTheLastThatWasGoodAndThenFurtherBack(t *testing.T) {
	s := newSite(t)
	s.release(t, "r2")
	if _, err := s.of(t, &installer{release: "r3", err: errors.New("no")}).Up(t.Context()); err == nil {
		t.Fatal("r3 came into service")
	}
	s.release(t, "r4")
	back := func(want string, name string) {
		t.Helper()
		b := &installer{release: "r4"}
		_, to, err := s.of(t, b).Rollback(t.Context(), name)
		if err != nil || to.Release != want {
			t.Fatalf("%v, %+v", err, to)
		}
		if b.count()+b.proofs != 0 {
			t.Errorf("going back built %d times and proved %d times", b.count(), b.proofs)
		}
		s.serves(t, want)
	}
	back("r2", "")
	back("r1", "")
	_, _, err := s.of(t, &installer{release: "r4"}).Rollback(t.Context(), "")
	if err == nil || !strings.Contains(err.Error(), "no other was good before it") {
		t.Error(err)
	}
	back("r4", "4") // forward again
	for name, want := range map[string]string{"3": "it is failed", "77": "is not in the history", "elsewhere": "is not in the history"} {
		if _, _, err := s.of(t, &installer{release: "r4"}).Rollback(t.Context(), name); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := s.results(t); got != "r1 rolled back, r2 rolled back, r3 failed, r4 rolled back, r2 rolled back, r1 rolled back, r4 released" {
		t.Error(got)
	}
	releases, err := s.of(t, &installer{release: "r4"}).Releases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range releases {
		if r.Serves != (r.Number == 7) || r.HasImage != (r.Release != "r3") {
			t.Errorf("%+v", r)
		}
	}
}

func TestThePlanTellsTheReleaseThatUpMakes(t *testing.T) {
	s := newSite(t)
	p, err := s.of(t, &installer{release: "r2"}).Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	contains(t, p.String(), "create  builder", "create  candidate", "replace server-1", "delete  candidate")
}

func TestTheHistoryGoesWithTheApplication(t *testing.T) {
	s := newSite(t)
	s.release(t, "r2")
	if err := s.of(t, &installer{release: "r2"}).Down(t.Context(), apply.DownOptions{Images: true}); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t, s.cloud)
}

func TestAnApplicationWithoutAHistoryCanBeGoneBackFrom(t *testing.T) {
	s := newSite(t)
	if err := history.New(s.client(t, nil).SSM, "tutorial").Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.ails("r2")
	s.spec.Release.Bake = 5 * time.Second
	_, err := s.of(t, &installer{release: "r2"}).Up(t.Context())
	contains(t, failure(t, err), "release r1 was brought back")
	s.serves(t, "r1")
}

func TestAStoppedReleaseIsGoneBackFromWhenTheReleaseBeforeIsWanted(t *testing.T) {
	s := newSite(t)
	ctx, stop := context.WithCancel(t.Context())
	b := &installer{release: "r2"}
	s.whenServing(t, "r2", stop)
	s.spec.Release.Bake = time.Minute
	if _, err := s.of(t, b).Up(ctx); err == nil || !strings.Contains(err.Error(), "stopped") {
		t.Fatal(err)
	}
	if got := s.results(t); got != "r1 released, r2 in progress" {
		t.Error(got)
	}
	s.release(t, "r1")
	s.serves(t, "r1")
	if got := s.results(t); got != "r1 released, r2 failed" {
		t.Error(got)
	}
}

func TestAMachineThatIsLostMeanwhileIsNotTheReleasesFault(t *testing.T) {
	s := newSite(t)
	before := ids(s.release(t, "r1"))
	b := &installer{release: "r2"}
	b.meanwhile = func() {
		_, err := s.client(
			t,
			nil,
		).EC2.TerminateInstances(
			t.Context(),
			&ec2.TerminateInstancesInput{InstanceIds: []string{before["server-3"]}},
		)
		if err != nil {
			t.Error(err)
		}
	}
	up(t, s.of(t, b))
	s.serves(t, "r2")
}
