//go:build linux

package metrics

import (
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/plane/balancer"
)

func TestMetricsAreGrowthOfCounters(t *testing.T) {
	withBalancer(t, func(b *fakeBalancer, m *metric.Store) {
		if ids := m.List("eu-west-1", time.Time{}); len(ids) > 0 {
			t.Errorf("requests counted before the loop started are measured: %v", ids)
		}
		b.now.Nodes = []balancer.NodeCounters{node("a", 1040, time.Millisecond), node("b", 20, time.Millisecond)}
		time.Sleep(interval)
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
				t.Errorf("%s by %v: sum %v of %v samples, want %v of %v",
					c.name, c.dimensions, got.Sum, got.Count, c.sum, c.count)
			}
		}
		times := sum(t, m, "TargetResponseTime", lb, group)
		p99, ok := times.Percentile(99)
		if !ok || times.Count != 60 || math.Abs(times.Average()-0.001) > 1e-9 || math.Abs(p99-0.001) > 0.0001 ||
			times.Min > 0.001 || times.Max < 0.001 {
			t.Errorf("TargetResponseTime %+v, p99 %v", times, p99)
		}
	})
}

func TestIdleTargetGroupHasZeroRequestsPerTarget(t *testing.T) {
	withBalancer(t, func(_ *fakeBalancer, m *metric.Store) {
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := sum(t, m, "RequestCountPerTarget", group, lb); got.Sum != 0 || got.Count == 0 {
			t.Errorf("RequestCountPerTarget %+v, want zeros", got)
		}
		if got := sum(t, m, "RequestCount", group, lb); got.Count != 0 {
			t.Errorf("RequestCount %+v, want no samples", got)
		}
	})
}

func TestRestartedBalancerCountsFromZero(t *testing.T) {
	withBalancer(t, func(b *fakeBalancer, m *metric.Store) {
		b.err = errors.New("connection refused")
		time.Sleep(interval)
		b.err, b.now.Since, b.now.Nodes = nil, time.Now(), []balancer.NodeCounters{node("a", 7, time.Millisecond)}
		time.Sleep(interval)
		synctest.Wait()
		if got := sum(t, m, "RequestCount", lb); got.Sum != 7 {
			t.Errorf("%v requests, want 7", got.Sum)
		}
	})
}

func TestActiveConnectionsAreSampledOnceAMinute(t *testing.T) {
	withBalancer(t, func(_ *fakeBalancer, m *metric.Store) {
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if got := sum(t, m, "ActiveConnectionCount", lb); got.Count != 3 || got.Sum != 9 {
			t.Errorf("ActiveConnectionCount %+v, want 3 samples of 3", got)
		}
	})
}
