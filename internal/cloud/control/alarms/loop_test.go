//go:build linux

package alarms

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/store"
)

// Two actions of the alarm: scale out when it goes off, scale in when it is over.
const (
	scaleOut = "arn:aws:autoscaling:r:000000000000:scalingPolicy:1:autoScalingGroupName/g:policyName/scale-out"
	scaleIn  = "arn:aws:autoscaling:r:000000000000:scalingPolicy:2:autoScalingGroupName/g:policyName/scale-in"
)

// fakeActions records the actions that run, as "POLICY STATE".
type fakeActions struct {
	mu  sync.Mutex
	run []string
	err error
}

func (a *fakeActions) Execute(_ *store.Tx, action string, f alarm.Firing) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.run = append(a.run, action[strings.LastIndex(action, "/")+1:]+" "+f.Alarm.State)
	return a.err
}

// reset returns the actions that ran since the last reset.
func (a *fakeActions) reset() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	run := a.run
	a.run = nil
	return run
}

// fixture is a loop with its alarm, metrics and actions.
type fixture struct {
	*testing.T
	rows    *store.Store
	metrics *metric.Store
	actions *fakeActions
}

// withLoop runs do beside a loop in a synctest bubble. Its alarm goes off when a metric
// is above 2 for two periods of a minute.
func withLoop(t *testing.T, do func(f fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		rows, err := store.Open("")
		if err != nil {
			t.Fatal(err)
		}
		f := fixture{t, rows, &metric.Store{}, &fakeActions{}}
		f.change(func(tx *store.Tx) {
			row := &store.Alarm{
				Region:            "r",
				Name:              "busy",
				Namespace:         "N",
				Metric:            "m",
				Statistic:         "Average",
				Period:            60,
				EvaluationPeriods: 2,
				Threshold:         2,
				Comparison:        "GreaterThanThreshold",
				AlarmActions:      []string{scaleOut},
				OKActions:         []string{scaleIn},
			}
			alarm.Put(tx, row, time.Now())
		})
		ctx, cancel := context.WithCancel(t.Context())
		loop := &Loop{Store: rows, Metrics: f.metrics, Actions: f.actions, Log: slog.New(slog.DiscardHandler)}
		done := make(chan error, 1)
		go func() { done <- loop.Run(ctx) }()
		synctest.Wait()
		do(f)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func (f fixture) change(do func(tx *store.Tx)) {
	f.Helper()
	if err := f.rows.Update(func(tx *store.Tx) error { do(tx); return nil }); err != nil {
		f.Fatal(err)
	}
}

func (f fixture) alarm() *store.Alarm {
	row, _ := store.Alarms.Get(f.rows.View(), alarm.ARN("r", "busy"))
	return row
}

// measure adds one value in each of the next n minutes.
func (f fixture) measure(n int, value float64) {
	for range n {
		f.metrics.Add("r", metric.NewID("N", "m"), time.Now(), "None", metric.SummaryOf(value, 1))
		time.Sleep(time.Minute)
	}
	synctest.Wait()
}

func (f fixture) want(state string, ran ...string) {
	f.Helper()
	if got := f.alarm().State; got != state {
		f.Errorf("state %s (%s), want %s", got, f.alarm().StateReason, state)
	}
	if got := f.actions.reset(); !slices.Equal(got, ran) {
		f.Errorf("actions %q ran, want %q", got, ran)
	}
}

func TestAlarmRunsActionsUntilItIsOver(t *testing.T) {
	withLoop(t, func(f fixture) {
		time.Sleep(15 * time.Second) // after the evaluation of this minute
		f.measure(1, 1)
		f.want(alarm.OK, "scale-in OK")
		f.measure(1, 9)
		f.want(alarm.OK, "scale-in OK")
		f.measure(1, 9)
		f.want(alarm.InAlarm, "scale-out ALARM")
		f.measure(3, 9) // the action repeats in each minute of the state
		f.want(alarm.InAlarm, "scale-out ALARM", "scale-out ALARM", "scale-out ALARM")
		f.measure(1, 1)
		f.want(alarm.OK, "scale-in OK")
		var types []string
		for _, item := range store.AlarmHistories.List(f.rows.View()) {
			types = append(types, item.Type)
		}
		slices.Sort(types)
		want := []string{
			"Action", "Action", "Action", "ConfigurationUpdate", "StateUpdate", "StateUpdate", "StateUpdate",
		}
		if !slices.Equal(types, want) {
			t.Errorf("history has items of types %q, want %q", types, want)
		}
		time.Sleep(alarm.Retention + time.Hour)
		synctest.Wait()
		for _, item := range store.AlarmHistories.List(f.rows.View()) {
			if time.Since(item.At) > alarm.Retention+time.Minute {
				t.Errorf("history still has %q of %s", item.Summary, item.At)
			}
		}
	})
}

func TestSetStateRunsActionsAtOnceUntilNextEvaluation(t *testing.T) {
	withLoop(t, func(f fixture) {
		f.change(func(tx *store.Tx) {
			alarm.SetState(tx, f.alarm(), alarm.Verdict{State: alarm.InAlarm, Reason: "test"}, time.Now())
		})
		synctest.Wait()
		f.want(alarm.InAlarm, "scale-out ALARM")
		time.Sleep(interval + offset)
		synctest.Wait()
		f.want(alarm.InsufficientData)
	})
}

func TestDisabledActionsDoNotRun(t *testing.T) {
	withLoop(t, func(f fixture) {
		f.change(func(tx *store.Tx) {
			store.Alarms.Edit(tx, f.alarm().ARN, func(row *store.Alarm) { row.ActionsDisabled = true })
			alarm.SetState(tx, f.alarm(), alarm.Verdict{State: alarm.InAlarm}, time.Now())
		})
		synctest.Wait()
		f.want(alarm.InAlarm)
	})
}

func TestFailedActionIsInHistory(t *testing.T) {
	withLoop(t, func(f fixture) {
		f.actions.err = errors.New("no such policy")
		f.change(func(tx *store.Tx) { alarm.SetState(tx, f.alarm(), alarm.Verdict{State: alarm.InAlarm}, time.Now()) })
		synctest.Wait()
		found := slices.ContainsFunc(store.AlarmHistories.List(f.rows.View()), func(item *store.AlarmHistory) bool {
			return item.Type == "Action" && strings.HasPrefix(item.Summary, "Failed to execute action "+scaleOut) &&
				strings.Contains(item.Summary, "no such policy")
		})
		if !found {
			t.Error("the history has no failed action")
		}
	})
}

func TestAlarmsDoNotSeeMetricsThatAreLate(t *testing.T) {
	withLoop(t, func(f fixture) {
		f.metrics.Late = func() time.Duration { return 90 * time.Second }
		time.Sleep(15 * time.Second) // after the evaluation of this minute
		f.measure(1, 1)
		f.measure(3, 9)
		f.want(alarm.OK, "scale-in OK", "scale-in OK")
		f.measure(1, 9)
		f.want(alarm.InAlarm, "scale-out ALARM")
	})
}

func TestAlarmsOfHighResolutionAreEvaluatedEveryTenSeconds(t *testing.T) {
	withLoop(t, func(f fixture) {
		id := metric.NewID("N", "fine")
		f.change(func(tx *store.Tx) {
			alarm.Put(tx, &store.Alarm{
				Region: "r", Name: "fast", Namespace: "N", Metric: "fine", Statistic: "Maximum", Period: 10,
				EvaluationPeriods: 2, Threshold: 2, Comparison: "GreaterThanThreshold",
				AlarmActions: []string{scaleOut},
			}, time.Now())
		})
		measure := func(value float64, seconds int) {
			for range seconds {
				f.metrics.AddHighResolution("r", id, time.Now(), "None", metric.SummaryOf(value, 1))
				time.Sleep(time.Second)
			}
			synctest.Wait()
		}
		measure(1, 32)
		if row := f.named("fast"); row.State != alarm.OK {
			t.Errorf("after half a minute the alarm is in %s: %s", row.State, row.StateReason)
		}
		f.actions.reset()
		measure(9, 20)
		if row := f.named("fast"); row.State != alarm.InAlarm {
			t.Errorf("after 20 seconds the alarm is in %s: %s", row.State, row.StateReason)
		}
		if ran := f.actions.reset(); !slices.Equal(ran, []string{"scale-out ALARM"}) {
			t.Errorf("actions %q ran", ran)
		}
	})
}
