package capacity_test

import (
	"errors"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/scaling/capacity"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestAdjustmentRounding(t *testing.T) {
	for _, tc := range []struct {
		kind       string
		current    int
		adjustment int32
		least      int32
		want       int32
	}{
		{"ChangeInCapacity", 3, 5, 0, 8},
		{"ChangeInCapacity", 3, -5, 0, 1}, // the group's minimum
		{"ExactCapacity", 3, 5, 0, 5},
		{"ExactCapacity", 3, 50, 0, 20}, // the group's maximum
		{"PercentChangeInCapacity", 10, 10, 0, 11},
		{"PercentChangeInCapacity", 11, 30, 0, 14},
		{"PercentChangeInCapacity", 14, -10, 0, 13},
		{"PercentChangeInCapacity", 4, 10, 0, 5},
		{"PercentChangeInCapacity", 4, -10, 0, 3},
		{"PercentChangeInCapacity", 4, 25, 2, 6},
		{"PercentChangeInCapacity", 4, -25, 2, 2},
	} {
		p := with(t, tc.current)
		row := store.ScalingPolicy{Type: capacity.Simple, AdjustmentType: tc.kind, Adjustment: tc.adjustment}
		if tc.least > 0 {
			row.MinMagnitude = &tc.least
		}
		must(t, p.fire(p.policy(row), "busy", 0, noon))
		if got := p.group().Desired; got != tc.want {
			t.Errorf("%s %d of %d: %d, want %d", tc.kind, tc.adjustment, tc.current, got, tc.want)
		}
	}
}

func TestSimpleScalingWaitsForTheCooldown(t *testing.T) {
	p := with(t, 3)
	policy := p.policy(store.ScalingPolicy{
		Type:           capacity.Simple,
		AdjustmentType: "ChangeInCapacity",
		Adjustment:     1,
		Cooldown:       new(int32(100)),
	})
	open := func(ended time.Time) {
		p.change(func(tx *store.Tx) {
			store.ScalingActivities.Put(tx, &store.ScalingActivity{ID: "a", Region: "r", Group: "web", Ended: ended})
			store.ScalingGroups.Edit(tx, "r/web", func(g *store.ScalingGroup) { g.LastScaling = ended })
		})
	}
	user := func(at time.Time, honor bool) error {
		return p.rows.Update(func(tx *store.Tx) error {
			return capacity.ExecuteForUser(tx, p.group(), policy, 0, honor, at)
		})
	}
	open(time.Time{})
	must(t, p.fire(policy, "busy", 0, noon))
	p.want(3, "")
	if err := user(noon, true); err == nil ||
		err.Error() != "Scaling activity a is in progress and blocks this action" {
		t.Error(err)
	}
	open(noon)
	must(t, p.fire(policy, "busy", 0, noon.Add(99*time.Second)))
	if _, ok := errors.AsType[*capacity.CooldownError](user(noon.Add(99*time.Second), true)); !ok {
		t.Error("a user that honors the cooldown was not refused")
	}
	p.want(3, "")
	must(t, p.fire(policy, "busy", 0, noon.Add(100*time.Second)))
	p.want(
		4,
		"At 2026-11-25T12:01:40Z a monitor alarm busy in state ALARM triggered policy grow changing the desired "+
			"capacity from 3 to 4.",
	)
	must(t, user(noon.Add(time.Second), false))
	p.want(5, "At 2026-11-25T12:00:01Z a user request executed policy grow changing the desired capacity from 4 to 5.")
}

// The example of the guide (Step and simple scaling policies, Step adjustments).
func TestStepsFollowTheSizeOfTheBreach(t *testing.T) {
	at := func(v float64) *float64 { return &v }
	one := func(low, high *float64, adjustment int32) store.StepAdjustment {
		return store.StepAdjustment{Lower: low, Upper: high, Adjustment: adjustment}
	}
	p := with(t, 10)
	out := p.policy(store.ScalingPolicy{
		Name:           "out",
		Type:           capacity.Step,
		AdjustmentType: "PercentChangeInCapacity",
		Steps: []store.StepAdjustment{
			one(at(0), at(10), 0),
			one(at(10), at(20), 10),
			one(at(20), nil, 30),
		},
	})
	in := p.policy(store.ScalingPolicy{
		Name:           "in",
		Type:           capacity.Step,
		AdjustmentType: "PercentChangeInCapacity",
		Steps: []store.StepAdjustment{
			one(at(-10), at(0), 0),
			one(at(-20), at(-10), -10),
			one(nil, at(-20), -30),
		},
	})
	must(t, p.fire(out, "high", 50, noon, 59))
	p.want(10, "")
	must(t, p.fire(out, "high", 50, noon, 60))
	p.want(11, "triggered policy out changing the desired capacity from 10 to 11.")
	p.change(func(tx *store.Tx) { p.member(tx, "i-10", store.LifecycleInService, noon) })
	// The eleventh is warming up: ten count, and the group does not respond twice.
	must(t, p.fire(out, "high", 50, noon.Add(time.Second), 62))
	p.want(11, "from 10 to 11")
	must(t, p.fire(in, "low", 50, noon.Add(time.Second), 10))
	p.want(11, "from 10 to 11") // no scale-in while it grows
	must(t, p.fire(out, "high", 50, noon.Add(time.Second), 70))
	p.want(13, "from 11 to 13")
	if err := p.fire(in, "low", 50, noon.Add(time.Second), 55); !errors.Is(err, capacity.ErrNoStep) {
		t.Error(err)
	}
}

func TestDisabledPolicyDoesNothing(t *testing.T) {
	for name, change := range map[string]func(g *store.ScalingGroup, policy *store.ScalingPolicy){
		"disabled": func(_ *store.ScalingGroup, policy *store.ScalingPolicy) { policy.Disabled = true },
		"suspended": func(g *store.ScalingGroup, _ *store.ScalingPolicy) {
			g.Suspended = []store.SuspendedProcess{{Name: "AlarmNotification"}}
		},
		"deleting": func(g *store.ScalingGroup, _ *store.ScalingPolicy) { g.Deleting = true },
	} {
		p := with(t, 3)
		row := store.ScalingPolicy{Type: capacity.Simple, AdjustmentType: "ChangeInCapacity", Adjustment: 1}
		p.change(func(tx *store.Tx) {
			store.ScalingGroups.Edit(tx, "r/web", func(g *store.ScalingGroup) { change(g, &row) })
		})
		must(t, p.fire(p.policy(row), "busy", 0, noon))
		if p.group().Desired != 3 {
			t.Errorf("%s: %d", name, p.group().Desired)
		}
	}
}

const cpu = `{"TargetValue":50,"PredefinedMetricSpecification":{"PredefinedMetricType":"ASGAverageCPUUtilization"}}`

func TestTargetTrackingPolicyOwnsTwoAlarms(t *testing.T) {
	p := with(t, 3)
	label := `{"TargetValue":1000,` +
		`"PredefinedMetricSpecification":{"PredefinedMetricType":"ALBRequestCountPerTarget",` +
		`"ResourceLabel":"app/lb/1/targetgroup/tg/2"}}`
	policy := p.policy(store.ScalingPolicy{Type: capacity.Tracking, TargetTracking: label})
	if len(policy.Alarms) != 2 {
		t.Fatalf("%q", policy.Alarms)
	}
	for i, want := range []store.Alarm{
		{Comparison: "GreaterThanThreshold", Threshold: 1000, EvaluationPeriods: 3},
		{Comparison: "LessThanThreshold", Threshold: 900, EvaluationPeriods: 15},
	} {
		a, ok := store.Alarms.Get(p.rows.View(), alarm.ARN("r", policy.Alarms[i]))
		if !ok || a.Comparison != want.Comparison || a.Threshold != want.Threshold ||
			a.EvaluationPeriods != want.EvaluationPeriods ||
			a.Period != 60 ||
			a.Statistic != "Sum" ||
			alarm.WatchedBy(a).Metric != metric.NewID("AWS/ApplicationELB", "RequestCountPerTarget", metric.Dimension{
				Name: "LoadBalancer", Value: "app/lb/1",
			}, metric.Dimension{Name: "TargetGroup", Value: "targetgroup/tg/2"}) {
			t.Errorf("%+v", a)
		}
	}
	p.change(func(tx *store.Tx) { scalinggroup.DeletePolicy(tx, policy, noon) })
	if left := store.Alarms.List(p.rows.View()); len(left) > 0 {
		t.Errorf("%+v", left)
	}
	if out := p.policy(store.ScalingPolicy{
		Type: capacity.Tracking, TargetTracking: `{"DisableScaleIn":true,` + cpu[1:],
	}); len(out.Alarms) != 1 {
		t.Errorf("%q", out.Alarms)
	}
}

func TestTrackingGrowsInProportionAndShrinksGradually(t *testing.T) {
	p := with(t, 3)
	policy := p.policy(store.ScalingPolicy{Type: capacity.Tracking, TargetTracking: cpu})
	grow, shrink := policy.Alarms[0], policy.Alarms[1]
	must(t, p.fire(policy, grow, 50, noon, 76))
	p.want(
		5,
		"a monitor alarm "+grow+" in state ALARM triggered policy grow changing the desired capacity from 3 to 5.",
	) // 4.56
	p.change(func(tx *store.Tx) {
		p.member(tx, "i-03", store.LifecycleInService, noon.Add(time.Minute))
		p.member(tx, "i-04", store.LifecyclePending, time.Time{})
	})
	soon := noon.Add(time.Minute)
	must(t, p.fire(policy, grow, 50, soon, 80)) // still three count, and 4.8 are about to
	must(t, p.fire(policy, shrink, 45, soon, 5))
	p.want(5, "from 3 to 5")
	p.change(func(tx *store.Tx) {
		for _, id := range []string{"i-03", "i-04"} {
			p.member(tx, id, store.LifecycleInService, noon)
		}
	})
	later := noon.Add(time.Hour)
	must(t, p.fire(policy, shrink, 45, later, 41)) // 4.1 are needed: none can leave
	p.want(5, "from 3 to 5")
	must(t, p.fire(policy, shrink, 45, later, 5))
	p.want(
		4,
		"a monitor alarm "+shrink+" in state ALARM triggered policy grow changing the desired capacity from 5 to 4.",
	)
	if err := p.fire(policy, "other", 1, later, 99); err == nil {
		t.Error("a user's alarm triggered a target tracking policy")
	}
}

func TestTrackingCountsWeights(t *testing.T) {
	p := with(t, 3)
	p.change(func(tx *store.Tx) {
		for _, i := range store.ScalingInstances.List(tx) {
			store.ScalingInstances.Edit(tx, i.InstanceID, func(i *store.ScalingInstance) { i.Weight = 3 })
		}
		store.ScalingGroups.Edit(tx, "r/web", func(g *store.ScalingGroup) { g.Desired = 8 })
	})
	policy := p.policy(store.ScalingPolicy{Type: capacity.Tracking, TargetTracking: cpu})
	must(t, p.fire(policy, policy.Alarms[0], 50, noon, 76))
	p.want(14, "from 8 to 14") // of the nine units of three instances, 13.68
}

func TestGroupShrinksOnlyIfAllTrackingPoliciesAgree(t *testing.T) {
	p := with(t, 4)
	first := p.policy(store.ScalingPolicy{Type: capacity.Tracking, TargetTracking: cpu})
	second := p.policy(store.ScalingPolicy{
		Name: "second",
		Type: capacity.Tracking,
		TargetTracking: `{"TargetValue":10,"CustomizedMetricSpecification":{"MetricName":"m","Namespace":"N",` +
			`"Statistic":"Average"}}`,
	})
	must(t, p.fire(first, first.Alarms[1], 45, noon, 5))
	p.want(4, "")
	for minute := range 15 {
		p.metrics.Add(
			"r", metric.NewID("N", "m"), noon.Add(-time.Duration(minute+1)*time.Minute), "None", metric.SummaryOf(8, 1),
		)
	}
	p.change(func(tx *store.Tx) {
		store.Alarms.Edit(tx, alarm.ARN("r", second.Alarms[1]), func(row *store.Alarm) { row.State = alarm.InAlarm })
	})
	must(t, p.fire(first, first.Alarms[1], 45, noon, 5))
	p.want(4, "") // the second policy requires 3.2
	for minute := range 15 {
		p.metrics.Add(
			"r", metric.NewID("N", "m"), noon.Add(-time.Duration(minute+1)*time.Minute), "None", metric.SummaryOf(0, 1),
		)
	}
	must(t, p.fire(first, first.Alarms[1], 45, noon, 5))
	p.want(3, "from 4 to 3")
}
