package capacity_test

import (
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/scaling/capacity"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestRecurrenceFollowsCronInItsTimeZone(t *testing.T) {
	for _, tc := range []struct{ expression, zone, want string }{
		{"30 0 1 1,6,12 *", "", "2026-12-01T00:30:00Z"},
		{"0 9 * * MON-FRI", "America/New_York", "2026-11-25T14:00:00Z"},
		{"0 12 * * *", "", "2026-11-25T12:00:00Z"}, // now
		{"0 9 1 * 1", "Europe/Berlin", "2026-11-30T08:00:00Z"},
		{"*/7 * * * *", "", "2026-11-25T12:00:00Z"},
		{"0 9 31 2 *", "", ""},
		{"0 9 * JUL,DEC WED-FRI", "", "2026-12-02T09:00:00Z"},
		{"5-10/5,30 12 * * *", "", "2026-11-25T12:05:00Z"},
	} {
		got, ok := capacity.NextRun(&store.ScheduledAction{Recurrence: tc.expression, TimeZone: tc.zone}, noon)
		text := ""
		if ok {
			text = got.Format(time.RFC3339)
		}
		if text != tc.want || !capacity.CheckRecurrence(tc.expression) {
			t.Errorf("%s in %q: %s, want %s", tc.expression, tc.zone, text, tc.want)
		}
	}
	for _, wrong := range []string{
		"", "* * * *", "0 0 * * * *", "60 * * * *", "@daily", "0 9 L * *", "TZ=UTC * * * *", "0 9 ? * *",
	} {
		if capacity.CheckRecurrence(wrong) {
			t.Errorf("%q is accepted as a recurrence", wrong)
		}
	}
}

func TestStartAndEndBoundARecurrence(t *testing.T) {
	action := &store.ScheduledAction{
		Recurrence: "0 * * * *",
		Start:      noon.Add(90 * time.Minute),
		End:        noon.Add(3 * time.Hour),
	}
	if at, ok := capacity.NextRun(action, noon); !ok || !at.Equal(action.Start) {
		t.Errorf("%v %v", at, ok)
	}
	if at, ok := capacity.NextRun(action, action.Start.Add(1)); !ok || !at.Equal(noon.Add(2*time.Hour)) {
		t.Errorf("%v %v", at, ok)
	}
	if at, ok := capacity.NextRun(action, noon.Add(3*time.Hour)); !ok || !at.Equal(noon.Add(3*time.Hour)) {
		t.Errorf("%v %v", at, ok)
	}
	if at, ok := capacity.NextRun(action, noon.Add(3*time.Hour+1)); ok {
		t.Errorf("%v", at)
	}
}

// schedule puts an action that is due at noon.
func (p place) schedule(action store.ScheduledAction) {
	p.Helper()
	action.Region, action.Group, action.Next = "r", "web", noon
	action.ARN = "arn:" + action.Name
	p.change(func(tx *store.Tx) { store.ScheduledActions.Put(tx, &action) })
}

func (p place) run(at time.Time) (next time.Time, err error) {
	p.change(func(tx *store.Tx) { next, err = capacity.RunSchedule(tx, at) })
	return next, err
}

func TestScheduledActionSetsSizesOnce(t *testing.T) {
	p := with(t, 3)
	p.schedule(store.ScheduledAction{
		Name:    "morning",
		Start:   noon,
		Min:     new(int32(4)),
		Max:     new(int32(8)),
		Desired: new(int32(6)),
	})
	if next, err := p.run(noon.Add(-time.Second)); err != nil || !next.Equal(noon) || p.group().Desired != 3 {
		t.Errorf("%v %v", next, err)
	}
	if next, err := p.run(noon); err != nil || !next.IsZero() {
		t.Errorf("%v %v", next, err)
	}
	p.want(
		6,
		"At 2026-11-25T12:00:00Z a scheduled action update of AutoScalingGroup constraints to min: 4, max: 8, "+
			"desired: 6 changing the desired capacity from 3 to 6.",
	)
	if g := p.group(); g.Min != 4 || g.Max != 8 || len(store.ScheduledActions.List(p.rows.View())) > 0 {
		t.Errorf("%+v", g)
	}
}

func TestMissedActionRunsOnceThenOnTime(t *testing.T) {
	p := with(t, 3)
	p.schedule(store.ScheduledAction{Name: "hourly", Recurrence: "0 * * * *", Min: new(int32(5))})
	late := noon.Add(5*time.Hour + time.Minute)
	if next, err := p.run(late); err != nil || !next.Equal(noon.Add(6*time.Hour)) {
		t.Errorf("%v %v", next, err)
	}
	p.want(5, "to min: 5, max: 20, desired: 5 changing the desired capacity from 3 to 5.")
}

func TestLastMissedActionWins(t *testing.T) {
	p := with(t, 3)
	p.schedule(store.ScheduledAction{Name: "a", Recurrence: "0 12 * * *", Desired: new(int32(9))})
	p.schedule(store.ScheduledAction{Name: "b", Recurrence: "0 20 * * *", Desired: new(int32(2))})
	if _, err := p.run(noon.Add(25 * time.Hour)); err != nil {
		t.Error(err)
	}
	p.want(9, "from 2 to 9")
}

func TestContradictorySizesChangeNothing(t *testing.T) {
	p := with(t, 3)
	p.schedule(store.ScheduledAction{Name: "wrong", Start: noon, Min: new(int32(30))})
	if _, err := p.run(noon); err == nil {
		t.Error("no error was returned")
	}
	if g := p.group(); g.Desired != 3 || g.Min != 1 {
		t.Errorf("%+v", g)
	}
}
