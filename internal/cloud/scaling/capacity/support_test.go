package capacity_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/scaling/capacity"
	"aloft.dev/aloft/internal/cloud/store"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// place is a group and its scaling.
type place struct {
	*testing.T
	rows    *store.Store
	metrics *metric.Store
}

// with returns a group web of 1 to 20 instances with a desired capacity and that many
// warm instances in service.
func with(t *testing.T, desired int) place {
	t.Helper()
	rows, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	p := place{t, rows, &metric.Store{}}
	p.change(func(tx *store.Tx) {
		store.ScalingGroups.Put(tx, &store.ScalingGroup{
			Region:          "r",
			Name:            "web",
			Min:             1,
			Max:             20,
			Desired:         int32(desired),
			DefaultCooldown: 300,
			DefaultWarmup:   new(int32(60)),
		})
		for i := range desired {
			p.member(tx, fmt.Sprintf("i-%02d", i), store.LifecycleInService, noon.Add(-time.Hour))
		}
	})
	return p
}

func (p place) member(tx *store.Tx, id, state string, since time.Time) {
	store.ScalingInstances.Put(
		tx,
		&store.ScalingInstance{InstanceID: id, Region: "r", Group: "web", State: state, InServiceSince: since},
	)
}

func (p place) change(do func(tx *store.Tx)) {
	p.Helper()
	if err := p.rows.Update(func(tx *store.Tx) error { do(tx); return nil }); err != nil {
		p.Fatal(err)
	}
}

func (p place) group() *store.ScalingGroup {
	g, _ := store.ScalingGroups.Get(p.rows.View(), "r/web")
	return g
}

// policy puts a policy of the group.
func (p place) policy(row store.ScalingPolicy) *store.ScalingPolicy {
	p.Helper()
	row.Region, row.Group = "r", "web"
	if row.Name == "" {
		row.Name = "grow"
	}
	row.ARN = identity.ARN("autoscaling", "r", "scalingPolicy:1:autoScalingGroupName/web:policyName/"+row.Name)
	p.change(func(tx *store.Tx) {
		if row.Type == capacity.Tracking {
			capacity.ReplaceAlarms(tx, &row, identity.New(nil), noon)
		}
		store.ScalingPolicies.Put(tx, &row)
	})
	return &row
}

// fire executes the policy for an alarm with a name and threshold.
func (p place) fire(
	policy *store.ScalingPolicy,
	name string,
	threshold float64,
	at time.Time,
	values ...float64,
) error {
	p.Helper()
	return p.rows.Update(func(tx *store.Tx) error {
		row := &store.Alarm{Region: "r", Name: name, State: alarm.InAlarm, Threshold: threshold}
		return capacity.Policies{
			Metrics: p.metrics,
		}.Execute(tx, policy.ARN, alarm.Firing{Alarm: row, Values: values, At: at})
	})
}

// want checks the desired capacity and the last cause.
func (p place) want(desired int32, cause string) {
	p.Helper()
	g := p.group()
	if g.Desired != desired {
		p.Errorf("desired capacity %d, want %d; %q", g.Desired, desired, g.CapacityCauses)
	}
	last := ""
	if len(g.CapacityCauses) > 0 {
		last = g.CapacityCauses[len(g.CapacityCauses)-1]
	}
	if !strings.Contains(last, cause) {
		p.Errorf("%q, want %q", last, cause)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}
