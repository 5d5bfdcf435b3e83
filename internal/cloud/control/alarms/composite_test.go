//go:build linux

package alarms

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/store"
)

const topic = "arn:aws:sns:r:000000000000:t/told"

// composite puts a composite alarm that tells a topic of every state.
func (f fixture) composite(name, rule string, change func(*store.Alarm)) {
	f.Helper()
	row := &store.Alarm{
		Region: "r", Name: name, Rule: rule,
		AlarmActions: []string{topic}, OKActions: []string{topic}, NoDataActions: []string{topic},
	}
	if change != nil {
		change(row)
	}
	f.change(func(tx *store.Tx) { alarm.Put(tx, row, time.Now()) })
	synctest.Wait()
}

// set sets an alarm's state as a user does.
func (f fixture) set(name, state string) {
	f.Helper()
	f.change(func(tx *store.Tx) {
		alarm.SetState(tx, f.named(name), alarm.Verdict{State: state, Reason: "a test"}, time.Now())
	})
	synctest.Wait()
}

func (f fixture) named(name string) *store.Alarm {
	row, _ := store.Alarms.Get(f.rows.View(), alarm.ARN("r", name))
	return row
}

// wantState checks a composite alarm's state and how often actions ran since the last check.
func (f fixture) wantState(name, state string, ran int) {
	f.Helper()
	if row := f.named(name); row.State != state {
		f.Errorf("state %s (%s), want %s", row.State, row.StateReason, state)
	}
	if got := f.actions.reset(); len(got) != ran {
		f.Errorf("actions %q ran, want %d", got, ran)
	}
}

// quiet is an alarm without actions.
func (f fixture) quiet(names ...string) {
	f.Helper()
	for _, name := range names {
		f.change(func(tx *store.Tx) {
			alarm.Put(tx, &store.Alarm{Region: "r", Name: name, EvaluationPeriods: 1, TreatMissing: "ignore",
				Namespace: "N", Metric: name, Statistic: "Sum", Period: 60}, time.Now())
		})
	}
	synctest.Wait()
}

func TestCompositeAlarmsFollowTheirChildren(t *testing.T) {
	withLoop(t, func(f fixture) {
		f.quiet("a", "b")
		f.composite("both", "ALARM(a) AND ALARM(b)", nil)
		f.composite("outer", "ALARM(both)", nil)
		f.wantState("both", alarm.OK, 2)
		if got := f.named("both").StateReason; got != alarm.ARN("r", "both")+
			" was created and its alarm rule evaluates to OK" {
			t.Error(got)
		}
		f.set("a", alarm.InAlarm)
		f.wantState("both", alarm.OK, 0)
		time.Sleep(time.Second)
		f.set("b", alarm.InAlarm)
		f.wantState("both", alarm.InAlarm, 2)
		const changed = " transitioned to ALARM at "
		if row := f.named("both"); !strings.HasPrefix(row.StateReason, alarm.ARN("r", "b")+changed) ||
			!strings.HasPrefix(row.StateReasonData, `{"triggeringAlarms":[{"arn":"`+alarm.ARN("r", "b")) {
			t.Errorf("%s %s", row.StateReason, row.StateReasonData)
		}
		if row := f.named("outer"); row.State != alarm.InAlarm {
			t.Errorf("the alarm above is in %s", row.State)
		}
		time.Sleep(5 * time.Minute) // actions for topics do not repeat
		f.wantState("both", alarm.InAlarm, 0)
		// A state that a user set lasts until a child changes.
		f.set("both", alarm.OK)
		time.Sleep(5 * time.Minute)
		f.wantState("both", alarm.OK, 2)
		f.set("a", alarm.OK)
		f.set("a", alarm.InAlarm)
		f.wantState("both", alarm.InAlarm, 2)
		f.composite("both", "FALSE", nil)
		f.wantState("both", alarm.OK, 2)
	})
}

func TestAlarmsInACycleAreNotEvaluated(t *testing.T) {
	withLoop(t, func(f fixture) {
		f.composite("x", "FALSE", nil)
		f.composite("y", "ALARM(x)", nil)
		f.composite("x", "NOT ALARM(y)", nil)
		f.wantState("x", alarm.OK, 2)
		f.composite("x", "TRUE", nil)
		f.wantState("x", alarm.InAlarm, 2)
		f.wantState("y", alarm.InAlarm, 0)
	})
}

func TestSuppressorsHoldActionsBack(t *testing.T) {
	suppressed := func(row *store.Alarm) {
		row.Suppressor, row.SuppressorWait, row.SuppressorExtension = "deploying", 60, 120
	}
	by := func(f fixture, want string) {
		f.Helper()
		if got := f.named("c").SuppressedBy; got != want {
			f.Errorf("suppressed by %q, want %q", got, want)
		}
	}
	withLoop(t, func(f fixture) {
		f.quiet("a", "deploying")
		f.composite("c", "ALARM(a)", suppressed)
		by(f, alarm.ByWaitPeriod)
		f.wantState("c", alarm.OK, 0)
		time.Sleep(time.Minute + time.Second)
		synctest.Wait()
		f.wantState("c", alarm.OK, 1)
		by(f, "")

		// The suppressor follows while the alarm waits, and leaves.
		f.set("a", alarm.InAlarm)
		by(f, alarm.ByWaitPeriod)
		time.Sleep(30 * time.Second)
		f.set("deploying", alarm.InAlarm)
		by(f, alarm.ByAlarm)
		time.Sleep(time.Hour)
		f.wantState("c", alarm.InAlarm, 0)
		f.set("deploying", alarm.OK)
		by(f, alarm.ByExtensionPeriod)
		time.Sleep(2*time.Minute - time.Second)
		synctest.Wait()
		f.wantState("c", alarm.InAlarm, 0)
		time.Sleep(time.Second)
		synctest.Wait()
		f.wantState("c", alarm.InAlarm, 1)
		by(f, "")
	})
}
