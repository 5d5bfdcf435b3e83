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

const (
	out  = "arn:aws:autoscaling:r:000000000000:scalingPolicy:1:autoScalingGroupName/g:policyName/out"
	calm = "arn:aws:autoscaling:r:000000000000:scalingPolicy:2:autoScalingGroupName/g:policyName/calm"
)

// acting remembers what it was asked to do.
type acting struct {
	mu   sync.Mutex
	done []string
	err  error
}

func (a *acting) Execute(_ *store.Tx, action string, f alarm.Firing) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.done = append(a.done, action[strings.LastIndex(action, "/")+1:]+" "+f.Alarm.State)
	return a.err
}

func (a *acting) take() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	done := a.done
	a.done = nil
	return done
}

type bench struct {
	*testing.T
	rows    *store.Store
	metrics *metric.Store
	actions *acting
}

// watching runs the loop over an alarm: more than 2 in two periods of a minute.
func watching(t *testing.T, do func(b bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		rows, err := store.Open("")
		if err != nil {
			t.Fatal(err)
		}
		b := bench{t, rows, &metric.Store{}, &acting{}}
		b.change(func(tx *store.Tx) {
			alarm.Put(
				tx,
				&store.Alarm{
					Region:            "r",
					Name:              "busy",
					Namespace:         "N",
					Metric:            "m",
					Statistic:         "Average",
					Period:            60,
					EvaluationPeriods: 2,
					Threshold:         2,
					Comparison:        "GreaterThanThreshold",
					AlarmActions:      []string{out},
					OKActions:         []string{calm},
				},
				time.Now(),
			)
		})
		ctx, cancel := context.WithCancel(t.Context())
		loop := &Loop{Store: rows, Metrics: b.metrics, Actions: b.actions, Log: slog.New(slog.DiscardHandler)}
		done := make(chan error, 1)
		go func() { done <- loop.Run(ctx) }()
		synctest.Wait()
		do(b)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func (b bench) change(do func(tx *store.Tx)) {
	b.Helper()
	if err := b.rows.Update(func(tx *store.Tx) error { do(tx); return nil }); err != nil {
		b.Fatal(err)
	}
}

func (b bench) alarm() *store.Alarm {
	row, _ := store.Alarms.Get(b.rows.View(), alarm.ARN("r", "busy"))
	return row
}

// minutes measures one value in each of so many minutes to come.
func (b bench) minutes(n int, value float64) {
	for range n {
		b.metrics.Add("r", metric.NewID("N", "m"), time.Now(), "None", metric.SummaryOf(value, 1))
		time.Sleep(time.Minute)
	}
	synctest.Wait()
}

func (b bench) want(state string, done ...string) {
	b.Helper()
	if got := b.alarm().State; got != state {
		b.Errorf("%s: %s, want %s", got, b.alarm().StateReason, state)
	}
	if got := b.actions.take(); !slices.Equal(got, done) {
		b.Errorf("done %q, want %q", got, done)
	}
}

func TestAnAlarmGoesOffAndActsUntilItIsOver(t *testing.T) {
	watching(t, func(b bench) {
		time.Sleep(15 * time.Second) // past the first evaluation's second of the minute
		b.minutes(1, 1)
		b.want(alarm.OK, "calm OK")
		b.minutes(1, 9)
		b.want(alarm.OK, "calm OK")
		b.minutes(1, 9)
		b.want(alarm.InAlarm, "out ALARM")
		b.minutes(3, 9)
		b.want(alarm.InAlarm, "out ALARM", "out ALARM", "out ALARM") // each minute that it stays
		b.minutes(1, 1)
		b.want(alarm.OK, "calm OK")
		var said []string
		for _, item := range store.AlarmHistories.List(b.rows.View()) {
			said = append(said, item.Type)
		}
		slices.Sort(said)
		if want := []string{
			"Action", "Action", "Action", "ConfigurationUpdate", "StateUpdate", "StateUpdate", "StateUpdate",
		}; !slices.Equal(
			said,
			want,
		) {
			t.Errorf("%q", said)
		}
		time.Sleep(alarm.Retention + time.Hour)
		synctest.Wait()
		for _, item := range store.AlarmHistories.List(b.rows.View()) {
			if time.Since(item.At) > alarm.Retention+time.Minute {
				t.Errorf("%s of %s is kept", item.Summary, item.At)
			}
		}
	})
}

func TestAStateThatIsSetByHandActsAtOnceAndLastsUntilTheNextLook(t *testing.T) {
	watching(t, func(b bench) {
		b.change(func(tx *store.Tx) {
			alarm.SetState(tx, b.alarm(), alarm.Verdict{State: alarm.InAlarm, Reason: "a try"}, time.Now())
		})
		synctest.Wait()
		b.want(alarm.InAlarm, "out ALARM")
		time.Sleep(time.Minute + after)
		synctest.Wait()
		b.want(alarm.InsufficientData)
	})
}

func TestActionsThatAreDisabledDoNotRun(t *testing.T) {
	watching(t, func(b bench) {
		b.change(func(tx *store.Tx) {
			store.Alarms.Edit(tx, b.alarm().ARN, func(row *store.Alarm) { row.ActionsDisabled = true })
			alarm.SetState(tx, b.alarm(), alarm.Verdict{State: alarm.InAlarm}, time.Now())
		})
		synctest.Wait()
		b.want(alarm.InAlarm)
	})
}

func TestAnActionThatFailsIsWrittenDown(t *testing.T) {
	watching(t, func(b bench) {
		b.actions.err = errors.New("there is no such policy")
		b.change(func(tx *store.Tx) { alarm.SetState(tx, b.alarm(), alarm.Verdict{State: alarm.InAlarm}, time.Now()) })
		synctest.Wait()
		found := slices.ContainsFunc(store.AlarmHistories.List(b.rows.View()), func(item *store.AlarmHistory) bool {
			return item.Type == "Action" && strings.HasPrefix(item.Summary, "Failed to execute action "+out) &&
				strings.Contains(item.Summary, "no such policy")
		})
		if !found {
			t.Error("nothing in the history")
		}
	})
}
