//go:build linux

package manners

import (
	"testing"
	"time"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/drill"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/timing"
	"aloft.dev/aloft/test/drilling"
	"aloft.dev/aloft/test/simulation"
)

// buildTime and proofTime are how long it takes to install the application and to
// prove a release.
const (
	buildTime = 90 * time.Second
	proofTime = 20 * time.Second
)

// poll is how often a release is checked on AWS.
const poll = 5 * time.Second

// slowly makes a deployment check a release as often as on AWS.
func slowly(c *apply.Config) { c.Poll = poll }

// journey is the life of a deployment on a cloud with manners, in virtual time.
type journey struct {
	*simulation.Cloud
	spec *spec.Spec
	keys string
	last timing.Report // of the last up
}

// begin returns a journey on a cloud with the settings.
func begin(t *testing.T, s *spec.Spec, settings manners.Settings, keys string) *journey {
	j := &journey{Cloud: simulation.New(t), spec: s, keys: keys}
	s.Machines.Types = spec.InstanceTypes{"t3.micro", "t3a.micro", "t2.micro"} // for zones without room
	j.Manners.Use(settings)
	return j
}

func (j *journey) deployment(t *testing.T, release string) *apply.Deployment {
	b := &simulation.Builder{ReleaseName: release, BuildTime: buildTime, ProofTime: proofTime}
	return simulation.Deployment(t, j.Client(t, nil), j.spec, b, j.keys, slowly)
}

// up brings a release up and checks that a plan has nothing to do then.
func (j *journey) up(t *testing.T, release string) {
	d := j.deployment(t, release)
	var times timing.Recorder
	d.RecordTimings(&times)
	began := time.Now()
	_, err := d.Up(t.Context())
	j.last = times.Report(began, time.Now())
	succeeded(t, err)
	j.settled(t, release)
}

// down deletes the deployment and checks that nothing is left.
func (j *journey) down(t *testing.T, release string) {
	succeeded(t, j.deployment(t, release).Down(t.Context(), apply.DownOptions{Images: true}))
	simulation.NothingLeft(t, j.Cloud)
}

// staleness is how old a read may be. A plan within this time of a change may show it
// as still to be made, on AWS too.
const staleness = 15 * time.Second

// settled checks that no resource exists twice and that a plan has nothing to do, once
// reads show all changes.
func (j *journey) settled(t *testing.T, release string) {
	j.noDuplicates(t)
	time.Sleep(staleness)
	simulation.PlanIsEmpty(t, j.deployment(t, release))
}

// noDuplicates checks that no two resources have one address.
func (j *journey) noDuplicates(t *testing.T) {
	t.Helper()
	view := j.Store.View()
	seen := map[string]int{}
	count := func(kind string, tags store.Tags) {
		if address := tags["aloft:address"]; address != "" && address != "member" {
			seen[kind+" "+address]++
		}
	}
	for _, x := range store.VPCs.List(view) {
		count("VPC", x.Tags)
	}
	for _, x := range store.Subnets.List(view) {
		count("subnet", x.Tags)
	}
	for _, x := range store.InternetGateways.List(view) {
		count("internet gateway", x.Tags)
	}
	for _, x := range store.RouteTables.List(view) {
		count("route table", x.Tags)
	}
	for _, x := range store.SecurityGroups.List(view) {
		count("security group", x.Tags)
	}
	for _, x := range store.LoadBalancers.List(view) {
		count("load balancer", x.Tags)
	}
	for _, x := range store.TargetGroups.List(view) {
		count("target group", x.Tags)
	}
	for _, x := range store.Instances.List(view) {
		if x.State != store.Terminated && x.State != store.ShuttingDown {
			count("instance", x.Tags)
		}
	}
	for what, n := range seen {
		if n > 1 {
			t.Errorf("%s exists %d times", what, n)
		}
	}
}

// succeeded fails the test with what the user would read.
func succeeded(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, p := range diag.From(err) {
		t.Errorf("%s: %s\n%s\n%s", p.Where, p.Summary, p.Detail, p.Hint)
	}
	t.FailNow()
}

// stage is one command of the journey.
type stage struct {
	name string
	run  func(t *testing.T, j *journey)
}

// stages are the commands of a deployment's life, in order.
var stages = []stage{
	{"up", func(t *testing.T, j *journey) { j.up(t, "r1") }},
	{"release", func(t *testing.T, j *journey) { j.up(t, "r2") }},
	{"rollback", func(t *testing.T, j *journey) {
		_, _, err := j.deployment(t, "r2").Rollback(t.Context(), "")
		succeeded(t, err)
		j.settled(t, "r1")
	}},
	{"scale", func(t *testing.T, j *journey) { j.scale(t) }},
	{"drill", func(t *testing.T, j *journey) {
		d := j.deployment(t, "r1")
		status, err := d.Status(t.Context())
		succeeded(t, err)
		_, err = drilling.NewPolling(j.Client(t, nil), d, poll).Run(t.Context(), status, drill.Options{
			Experiment: drill.Zone, Rate: 1, Calm: time.Second, Duration: 5 * time.Second,
		})
		succeeded(t, err)
	}},
	{"down", func(t *testing.T, j *journey) { j.down(t, "r1") }},
}

// scale adds a server: to an Auto Scaling group by its capacity, else in the spec.
func (j *journey) scale(t *testing.T) {
	if j.spec.Scaling == nil {
		j.spec.Machines.Count++
		j.up(t, "r1")
		return
	}
	d := j.deployment(t, "r1")
	status, err := d.Status(t.Context())
	succeeded(t, err)
	_, err = d.Scale(t.Context(), status.Scaling.Desired+1)
	succeeded(t, err)
	j.noDuplicates(t)
}
