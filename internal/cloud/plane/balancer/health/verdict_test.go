//go:build linux

package health

import (
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
)

func TestVerdictFollowsChecksInARow(t *testing.T) {
	check := balancer.HealthCheck{HealthyThreshold: 3, UnhealthyThreshold: 2}
	ok := Outcome{Connected: true, Answered: true, Code: 200, Passed: true}
	code500 := Outcome{Connected: true, Answered: true, Code: 500}
	late := Outcome{TimedOut: true}
	mismatch := balancer.Health{
		State:       "unhealthy",
		Reason:      "Target.ResponseCodeMismatch",
		Description: "Health checks failed with these codes: [500]",
	}
	for _, c := range []struct {
		name   string
		checks []Outcome
		want   balancer.Health
	}{
		{"not checked yet", nil, balancer.Registering},
		{"one pass makes a new target healthy", []Outcome{ok}, Healthy},
		{"one failure does not make it unhealthy", []Outcome{code500}, Checking},
		{"a failure and a pass make a new target healthy", []Outcome{code500, ok}, Healthy},
		{"the last failure gives the reason", []Outcome{late, code500}, mismatch},
		{"silence is a timeout", []Outcome{code500, late}, TimedOut},
		{"a refusal is a failed check", []Outcome{{}, {}}, Failed},
		{"one failure of a healthy target is forgiven", []Outcome{ok, late, ok, late}, Healthy},
		{"a healthy target fails after the threshold", []Outcome{ok, late, late}, TimedOut},
		{"recovery takes the threshold", []Outcome{late, late, ok, ok}, TimedOut},
		{"recovery is complete", []Outcome{late, late, ok, ok, ok}, Healthy},
		{"a failure resets the count", []Outcome{late, late, ok, ok, late, ok, ok}, TimedOut},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := Verdict{Health: balancer.Registering}
			for _, o := range c.checks {
				v = v.after(o, check)
			}
			if v.Health != c.want {
				t.Errorf("got %+v, want %+v", v.Health, c.want)
			}
		})
	}
}

func TestNodesAgreeByMajority(t *testing.T) {
	type views = []balancer.Health
	for _, c := range []struct {
		name   string
		before balancer.Health
		views  views
		want   balancer.Health
	}{
		{"no node checks it", balancer.Health{}, nil, balancer.Registering},
		{
			"no node has a verdict", balancer.Registering,
			views{balancer.Registering, balancer.Registering}, balancer.Registering,
		},
		{
			"a new target waits for all nodes", balancer.Registering,
			views{Healthy, balancer.Registering, Healthy}, Checking,
		},
		{"all find it healthy", Checking, views{Healthy, Healthy, Healthy}, Healthy},
		{"a node that is cut off does not condemn it", Healthy, views{Healthy, TimedOut, Healthy}, Healthy},
		{"the node of its own zone does not save it", Healthy, views{Healthy, TimedOut, TimedOut}, TimedOut},
		{"a tie is unhealthy", Healthy, views{Healthy, Failed}, Failed},
		{"a node that joins changes nothing", Healthy, views{Healthy, balancer.Registering}, Healthy},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Agree(c.before, c.views); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}
