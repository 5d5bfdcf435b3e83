//go:build linux

package failure

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/test/simulation"
)

// subscribers returns the addresses that subscribed to a topic.
func subscribers(c *simulation.Cloud) (addresses []string) {
	for _, s := range store.Subscriptions.List(c.Store.View()) {
		addresses = append(addresses, s.Endpoint)
	}
	slices.Sort(addresses)
	return addresses
}

func TestAlertsFollowTheSpec(t *testing.T) {
	t.Parallel()
	app := simulation.NewApplication(t)
	up := func(alerts ...string) {
		t.Helper()
		app.Spec.Alerts = alerts
		status := app.Release(t, "r1")
		simulation.PlanIsEmpty(t, app.Deployment(t, &simulation.Builder{ReleaseName: "r1"}))
		if len(alerts) == 0 && status.Alerts == nil {
			return
		}
		if got := status.Alerts; got == nil || !slices.Equal(got.Emails, alerts) {
			t.Errorf("the status has the alerts %+v, want %v", got, alerts)
		}
	}
	confirm := func(address string) {
		t.Helper()
		if err := app.Store.Update(func(tx *store.Tx) error {
			for _, s := range store.Subscriptions.List(tx) {
				if s.Endpoint == address {
					store.Subscriptions.Edit(tx, s.ARN, func(row *store.Subscription) { row.Confirmed = true })
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	up("me@example.com", "you@example.com")
	for _, a := range store.Alarms.List(app.Store.View()) {
		if a.State != alarm.OK || a.ActionsDisabled || alarm.ActionsDue(a) {
			t.Errorf("a new alarm tells somebody that it is well: %+v", a)
		}
	}
	app.Spec.Tags = map[string]string{"team": "a"}
	up("me@example.com", "you@example.com")
	for _, a := range store.Alarms.List(app.Store.View()) {
		if a.Tags["team"] != "a" {
			t.Errorf("alarm %s has the tags %v", a.Name, a.Tags)
		}
	}
	app.Spec.Tags = nil
	if n := len(store.Alarms.List(app.Store.View())); n != 5 {
		t.Errorf("%d alarms", n)
	}
	confirm("me@example.com")
	// AWS does not cancel a subscription that nobody confirmed. It does not count.
	up("ops@example.com")
	if got := subscribers(app.Cloud); !slices.Equal(got, []string{"ops@example.com", "you@example.com"}) {
		t.Errorf("the topic has the subscribers %v", got)
	}
	// Whoever confirms after all is found and cancelled.
	confirm("you@example.com")
	up("ops@example.com")
	if got := subscribers(app.Cloud); !slices.Equal(got, []string{"ops@example.com"}) {
		t.Errorf("the topic has the subscribers %v", got)
	}
	up("ops@example.com", "you@example.com")
	up()
	view := app.Store.View()
	if topics, alarms := store.Topics.List(view), store.Alarms.List(view); len(topics)+len(alarms) > 0 {
		t.Errorf("left are %v and %v", topics, alarms)
	}
}

// A busy application may fail now and then, and a quiet one is not down because of one error.
func TestErrorsCountByTheirShareOfRequests(t *testing.T) {
	t.Parallel()
	app := simulation.NewApplication(t)
	app.Spec.Alerts = []string{"me@example.com"}
	app.Release(t, "r1")
	now, shares := time.Now(), 0
	for _, row := range store.Alarms.List(app.Store.View()) {
		if row.Queries == "" {
			continue
		}
		shares++
		for _, tc := range []struct {
			requests, errors float64
			goesOff          bool
		}{
			{0, 0, false}, {4, 4, false}, {5, 5, true}, {400, 4, false}, {500, 5, true}, {60_000, 500, false},
			{60_000, 600, true}, {0, 6, true}, // without a server, requests are not counted
		} {
			var metrics metric.Store
			var queries []alarm.Query
			if err := json.Unmarshal([]byte(row.Queries), &queries); err != nil {
				t.Fatal(err)
			}
			for _, q := range queries {
				if q.MetricStat == nil {
					continue
				}
				of, value := q.MetricStat.Metric, tc.errors
				if of.MetricName == "RequestCount" {
					value = tc.requests
				}
				if value == 0 {
					continue // a load balancer reports no zero
				}
				id := metric.NewID(of.Namespace, of.MetricName, metric.Dimension(of.Dimensions[0]))
				for ago := range 5 {
					at := now.Add(-time.Duration(ago) * time.Minute)
					metrics.Add(row.Region, id, at, "Count", metric.SummaryOf(1, value))
				}
			}
			v, _ := alarm.Evaluate(row, alarm.Datapoints(row, &metrics, now), now)
			if (v.State == alarm.InAlarm) != tc.goesOff {
				t.Errorf("%s with %g errors of %g requests: %s, %s",
					row.Name, tc.errors, tc.requests, v.State, v.Reason)
			}
		}
	}
	if shares != 2 {
		t.Errorf("%d alarms watch a share, want 2", shares)
	}
}
