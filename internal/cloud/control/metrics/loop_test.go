package metrics

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/simulated"
	"aloft.dev/aloft/internal/cloud/store"
)

const (
	lbARN    = "arn:aws:elasticloadbalancing:eu-west-1:000000000000:loadbalancer/app/web/0123"
	groupARN = "arn:aws:elasticloadbalancing:eu-west-1:000000000000:targetgroup/web/4567"
)

var (
	lb    = metric.Dimension{Name: "LoadBalancer", Value: "app/web/0123"}
	group = metric.Dimension{Name: "TargetGroup", Value: "targetgroup/web/4567"}
	zoneA = metric.Dimension{Name: "AvailabilityZone", Value: "a"}
)

// counting is a balancer that tells what it is told to.
type counting struct {
	now balancer.Counters
	err error
}

func (c *counting) Counters(context.Context) (balancer.Counters, error) { return c.now, c.err }

func node(zone string, requests uint64, took time.Duration) balancer.NodeCounters {
	return balancer.NodeCounters{
		LoadBalancer: lbARN, Zone: zone, Active: 3, Sums: map[string]uint64{"ProcessedBytes": 100 * requests},
		Groups: []balancer.GroupCounters{{
			TargetGroup: groupARN, Present: true, Healthy: 2, Unhealthy: 1,
			Sums:  map[string]uint64{"RequestCount": requests, "HTTPCode_Target_2XX_Count": requests},
			Time:  took * time.Duration(requests),
			Times: []balancer.Timing{{From: took - took/32, To: took + took/32, Count: requests}},
		}},
	}
}

// measuring runs the loop over what a balancer counts.
func measuring(t *testing.T, do func(b *counting, m *metric.Store)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b, m := &counting{}, &metric.Store{}
		rows, err := store.Open("")
		if err != nil {
			t.Fatal(err)
		}
		b.now.Since = time.Now().Add(-time.Hour)
		b.now.Nodes = []balancer.NodeCounters{node("a", 1000, time.Millisecond)}
		ctx, cancel := context.WithCancel(t.Context())
		loop := &Loop{
			Balancer: b,
			Machines: &simulated.Machines{},
			Store:    rows,
			Metrics:  m,
			Log:      slog.New(slog.NewTextHandler(io.Discard, nil)),
		}
		done := make(chan error, 1)
		go func() { done <- loop.Run(ctx) }()
		synctest.Wait()
		do(b, m)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func sum(t *testing.T, m *metric.Store, name string, dimensions ...metric.Dimension) (all metric.Summary) {
	t.Helper()
	for _, p := range m.Points(
		"eu-west-1", metric.NewID(namespace, name, dimensions...), time.Time{}, time.Now().Add(time.Hour), "",
	) {
		all.Merge(p.Summary)
	}
	return all
}

func TestWhatHasGrownIsMeasured(t *testing.T) {
	measuring(t, func(b *counting, m *metric.Store) {
		if ids := m.List("eu-west-1", time.Time{}); len(ids) > 0 {
			t.Errorf("what was counted before anybody looked is measured as now: %v", ids)
		}
		b.now.Nodes = []balancer.NodeCounters{node("a", 1040, time.Millisecond), node("b", 20, time.Millisecond)}
		time.Sleep(every)
		synctest.Wait()
		for _, c := range []struct {
			name       string
			sum, count float64
			dimensions []metric.Dimension
		}{
			{"RequestCount", 60, 60, []metric.Dimension{lb}},
			{"RequestCount", 40, 40, []metric.Dimension{lb, zoneA}},
			{"RequestCount", 60, 60, []metric.Dimension{lb, group}},
			{"RequestCount", 40, 40, []metric.Dimension{lb, group, zoneA}},
			{"HTTPCode_Target_2XX_Count", 60, 60, []metric.Dimension{group, lb}},
			{"ProcessedBytes", 6000, 2, []metric.Dimension{lb}},
			{"RequestCountPerTarget", 30, 2, []metric.Dimension{group}},
			{"RequestCountPerTarget", 20, 1, []metric.Dimension{group, zoneA}},
			{"HealthyHostCount", 4, 2, []metric.Dimension{group, lb}},
			{"UnHealthyHostCount", 1, 1, []metric.Dimension{group, lb, zoneA}},
			{"HTTPCode_Target_4XX_Count", 0, 0, []metric.Dimension{lb}},
		} {
			if got := sum(t, m, c.name, c.dimensions...); got.Sum != c.sum || got.Count != c.count {
				t.Errorf("%s by %v: sum %v of %v", c.name, c.dimensions, got.Sum, got.Count)
			}
		}
		times := sum(t, m, "TargetResponseTime", lb, group)
		p99, ok := times.Percentile(99)
		if !ok || times.Count != 60 || math.Abs(times.Average()-0.001) > 1e-9 || math.Abs(p99-0.001) > 0.0001 ||
			times.Min > 0.001 ||
			times.Max < 0.001 {
			t.Errorf("%+v, p99 %v", times, p99)
		}
	})
}

func TestATargetGroupThatNobodyAsksSaysSo(t *testing.T) {
	measuring(t, func(_ *counting, m *metric.Store) {
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := sum(t, m, "RequestCountPerTarget", group, lb); got.Sum != 0 || got.Count == 0 {
			t.Errorf("%+v", got)
		}
		if got := sum(t, m, "RequestCount", group, lb); got.Count != 0 {
			t.Errorf("%+v", got)
		}
	})
}

func TestABalancerThatStartsAnewIsCountedFromNothing(t *testing.T) {
	measuring(t, func(b *counting, m *metric.Store) {
		b.err = errors.New("it is away")
		time.Sleep(every)
		b.err, b.now.Since, b.now.Nodes = nil, time.Now(), []balancer.NodeCounters{node("a", 7, time.Millisecond)}
		time.Sleep(every)
		synctest.Wait()
		if got := sum(t, m, "RequestCount", lb); got.Sum != 7 {
			t.Errorf("%v requests", got.Sum)
		}
	})
}

func TestConnectionsAreSampledOnceAMinute(t *testing.T) {
	measuring(t, func(_ *counting, m *metric.Store) {
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if got := sum(t, m, "ActiveConnectionCount", lb); got.Count != 3 || got.Sum != 9 {
			t.Errorf("%+v", got)
		}
	})
}
