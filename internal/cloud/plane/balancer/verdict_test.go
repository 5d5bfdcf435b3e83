package balancer

import "testing"

func TestATargetIsJudgedByItsChecksInARow(t *testing.T) {
	check := HealthCheck{HealthyThreshold: 3, UnhealthyThreshold: 2}
	ok := outcome{connected: true, code: 200, passed: true}
	code500 := outcome{connected: true, code: 500}
	late := outcome{late: true}
	mismatch := Health{"unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [500]"}
	for _, c := range []struct {
		name   string
		checks []outcome
		want   Health
	}{
		{"not checked yet", nil, registering},
		{"the first passed check suffices for a new target", []outcome{ok}, healthy},
		{"one failure does not condemn", []outcome{code500}, checking},
		{"a failure and a pass make a new target healthy", []outcome{code500, ok}, healthy},
		{"enough failures condemn, with the last one's reason", []outcome{late, code500}, mismatch},
		{"silence is a time-out", []outcome{code500, late}, timedOut},
		{"a refusal is a failed check", []outcome{{}, {}}, failed},
		{"one failure of a healthy target is forgiven", []outcome{ok, late, ok, late}, healthy},
		{"a healthy target falls after the threshold", []outcome{ok, late, late}, timedOut},
		{"recovery takes the threshold", []outcome{late, late, ok, ok}, timedOut},
		{"recovery is complete", []outcome{late, late, ok, ok, ok}, healthy},
		{"a failure breaks the row", []outcome{late, late, ok, ok, late, ok, ok}, timedOut},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := verdict{health: registering}
			for _, o := range c.checks {
				v = v.after(o, check)
			}
			if v.health != c.want {
				t.Errorf("got %+v, want %+v", v.health, c.want)
			}
		})
	}
}

func TestTheNodesAgreeOnATargetByMajority(t *testing.T) {
	for _, c := range []struct {
		name   string
		before Health
		views  []Health
		want   Health
	}{
		{"nobody has asked", Health{}, nil, registering},
		{"all are still asking", registering, []Health{registering, registering}, registering},
		{"a new target waits for all nodes", registering, []Health{healthy, registering, healthy}, checking},
		{"all have found it well", checking, []Health{healthy, healthy, healthy}, healthy},
		{"a node that is cut off does not condemn", healthy, []Health{healthy, timedOut, healthy}, healthy},
		{"the node of its own zone does not save it", healthy, []Health{healthy, timedOut, timedOut}, timedOut},
		{"a tie is unhealthy", healthy, []Health{healthy, failed}, failed},
		{"a node that joins does not unsettle", healthy, []Health{healthy, registering}, healthy},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := agree(c.before, c.views); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}
