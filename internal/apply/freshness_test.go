package apply

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/resource"
	"aloft.dev/aloft/internal/stack"
)

// metricSource is CloudWatch with the metrics of a load balancer. A minute appears some
// time after it has ended.
type metricSource struct {
	resource.CW
	late    time.Duration // after the minute has ended; negative for a minute that appears while it lasts
	silent  bool          // nothing is ever reported
	stops   time.Time     // from this minute on nothing is reported; zero for never
	idle    bool          // no requests
	failing time.Time     // from then on, ten requests of a minute's hundred fail
}

func (s metricSource) GetMetricData(
	_ context.Context, in *cloudwatch.GetMetricDataInput, _ ...func(*cloudwatch.Options),
) (*cloudwatch.GetMetricDataOutput, error) {
	out := &cloudwatch.GetMetricDataOutput{}
	for _, q := range in.MetricDataQueries {
		result := types.MetricDataResult{Id: q.Id}
		for at := *in.StartTime; at.Before(*in.EndTime) && !s.silent; at = at.Add(time.Minute) {
			value, reported := s.value(*q.MetricStat.Metric.MetricName, at)
			if !reported || time.Now().Before(at.Add(time.Minute+s.late)) || !s.stops.IsZero() && !at.Before(s.stops) {
				continue
			}
			result.Timestamps = append(result.Timestamps, at)
			result.Values = append(result.Values, value)
		}
		out.MetricDataResults = append(out.MetricDataResults, result)
	}
	return out, nil
}

func (s metricSource) value(name string, at time.Time) (value float64, reported bool) {
	fails := !s.failing.IsZero() && at.Add(time.Minute).After(s.failing)
	switch name {
	case "HealthyHostCount":
		return 3, true
	case "RequestCount":
		return 100, !s.idle
	case "HTTPCode_Target_5XX_Count":
		return 10, !s.idle && fails
	}
	return 0, false
}

// watchOf returns the watch of a release whose replacement began now.
func watchOf(cw resource.CW, notes *strings.Builder) *releaseWatch {
	return &releaseWatch{
		record: &history.Record{Release: "r2", Touched: time.Now()},
		discover: func(context.Context) ([]plan.Found, error) {
			return []plan.Found{
				{Kind: stack.KindLoadBalancer, ID: "arn:aws:elasticloadbalancing:r:1:loadbalancer/app/shop/1"},
				{Kind: stack.KindTargetGroup, ID: "arn:aws:elasticloadbalancing:r:1:targetgroup/shop/2"},
			}, nil
		},
		metrics: cw,
		events:  func(e event.Event) { notes.WriteString(e.Message + "\n") },
		poll:    5 * time.Second,
		healthy: map[string]bool{},
	}
}

func TestWatchWaitsForTheMetricsOfTheBake(t *testing.T) {
	const replacement, bake = 2 * time.Minute, 30 * time.Second
	for name, test := range map[string]struct {
		source  func(bakeBegins time.Time) metricSource
		atMost  time.Duration // after the bake
		atLeast time.Duration
		fails   bool
		note    string
	}{
		"errors in the bake, a minute late": {
			source: func(bake time.Time) metricSource { return metricSource{late: time.Minute, failing: bake} },
			atMost: 3*time.Minute + 5*time.Second, atLeast: time.Minute, fails: true, note: "which arrive late",
		},
		"errors in the bake, three minutes late": {
			source: func(bake time.Time) metricSource { return metricSource{late: 3 * time.Minute, failing: bake} },
			atMost: 5*time.Minute + 5*time.Second, atLeast: 3 * time.Minute, fails: true, note: "which arrive late",
		},
		"no errors, three minutes late": {
			source: func(time.Time) metricSource { return metricSource{late: 3 * time.Minute} },
			atMost: 5*time.Minute + 5*time.Second, atLeast: 3 * time.Minute,
		},
		"no requests": {
			source: func(time.Time) metricSource { return metricSource{late: time.Minute, idle: true} },
			atMost: 3*time.Minute + 5*time.Second, atLeast: time.Minute,
		},
		"a cloud that reports the running minute": {
			source: func(bake time.Time) metricSource { return metricSource{late: -50 * time.Second, failing: bake} },
			atMost: 10 * time.Second, fails: true,
		},
		"metrics that stop": {
			source: func(bake time.Time) metricSource {
				return metricSource{late: time.Minute, stops: bake.Add(-time.Minute)}
			},
			atMost: metricsLimit + 10*time.Second, atLeast: metricsLimit, note: "have not arrived within 6m0s",
		},
		"no metrics": {
			source: func(time.Time) metricSource { return metricSource{silent: true} },
			note:   "has no metrics",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(7 * time.Second) // after the full minute
				var notes strings.Builder
				w := watchOf(test.source(time.Now().Add(replacement)), &notes)
				var problem *diag.Diagnostic
				for range int((replacement + bake) / w.poll) {
					if problem = w.check(t.Context()); problem != nil {
						break
					}
					time.Sleep(w.poll)
				}
				ended := time.Now()
				if err := w.awaitMetrics(t.Context()); err != nil {
					t.Fatal(err)
				}
				took := time.Since(ended)
				if problem == nil {
					problem = w.check(t.Context())
				}
				if (problem != nil) != test.fails || took > test.atMost || took < test.atLeast {
					t.Errorf("problem %v after %s", problem, took)
				}
				if !strings.Contains(notes.String(), test.note) {
					t.Errorf("notes:\n%s", notes.String())
				}
			})
		})
	}
}
