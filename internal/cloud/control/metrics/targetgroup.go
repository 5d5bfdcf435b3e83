//go:build linux

package metrics

import (
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/plane/balancer"
)

// addGroup adds the metrics of a target group for one node. targets is the number of
// targets that share the group's requests in all zones.
func (m nodeMetrics) addGroup(last, now balancer.GroupCounters, targets int) {
	fields := strings.SplitN(now.TargetGroup, ":", 6) // of the ARN
	lb, zone := m.loadBalancerDimension(), m.zoneDimension()
	group := metric.Dimension{Name: "TargetGroup", Value: fields[len(fields)-1]}
	add := func(name, unit string, s metric.Summary) {
		m.add(name, unit, s, lb)
		m.add(name, unit, s, zone, lb)
		m.add(name, unit, s, group, lb)
		m.add(name, unit, s, group, zone, lb)
	}
	sums := growth(last.Sums, now.Sums)
	for name, n := range sums {
		add(name, count, metric.SummaryOf(1, n))
	}
	if times := responseTimes(last, now); times.Count > 0 {
		add("TargetResponseTime", seconds, times)
	}
	if !m.isNetwork() {
		m.addRequestsPerTarget(now, sums["RequestCount"], targets, group)
	}
	if now.Present && now.Healthy+now.Unhealthy > 0 {
		for name, n := range map[string]int{"HealthyHostCount": now.Healthy, "UnHealthyHostCount": now.Unhealthy} {
			m.add(name, count, metric.SummaryOf(float64(n), 1), group, lb)
			m.add(name, count, metric.SummaryOf(float64(n), 1), group, zone, lb)
		}
	}
}

// addRequestsPerTarget adds RequestCountPerTarget. A group with targets but without
// requests has zeros: a policy that tracks the metric must see that there is no load
// (Amazon EC2 Auto Scaling User Guide, Target tracking scaling policies).
func (m nodeMetrics) addRequestsPerTarget(
	g balancer.GroupCounters,
	requests float64,
	targets int,
	group metric.Dimension,
) {
	if targets == 0 || (requests == 0 && !g.Present) {
		return
	}
	const name = "RequestCountPerTarget"
	lb, zone := m.loadBalancerDimension(), m.zoneDimension()
	perTarget := metric.SummaryOf(requests/float64(targets), 1)
	m.add(name, count, perTarget, group)
	m.add(name, count, perTarget, group, lb)
	if inZone := receiving(g); inZone > 0 {
		perTarget = metric.SummaryOf(requests/float64(inZone), 1)
		m.add(name, count, perTarget, group, zone)
		m.add(name, count, perTarget, group, zone, lb)
	}
}

// receiving returns how many targets share a group's requests: the healthy ones, or
// all if none is healthy.
func receiving(g balancer.GroupCounters) int {
	if g.Healthy == 0 {
		return g.Unhealthy
	}
	return g.Healthy
}

// targetCounts returns how many targets share each group's requests in all zones. Each
// node of a cross-zone group counts the targets of all zones.
func targetCounts(c balancer.Counters) map[groupKey]int {
	out := map[groupKey]int{}
	for _, n := range c.Nodes {
		for _, g := range n.Groups {
			key := groupKey{n.LoadBalancer, g.TargetGroup}
			if g.ZoneOnly {
				out[key] += receiving(g)
			} else {
				out[key] = max(out[key], receiving(g))
			}
		}
	}
	return out
}

// responseTimes summarizes the response times counted between two readings. Minimum
// and maximum are exact to a sixteenth, the width of a counter's range.
func responseTimes(last, now balancer.GroupCounters) metric.Summary {
	counted := map[time.Duration]uint64{}
	for _, t := range last.Times {
		counted[t.From] = t.Count
	}
	var out metric.Summary
	for _, t := range now.Times {
		if n := t.Count - min(t.Count, counted[t.From]); n > 0 {
			out.Merge(metric.SummaryBetween(t.From.Seconds(), t.To.Seconds(), 0, float64(n)))
		}
	}
	out.Sum = max(now.Time-last.Time, 0).Seconds()
	return out
}
