package metrics

import (
	"maps"
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/plane/balancer"
)

// namespace is that of Application Load Balancers (Application Load Balancer
// guide, CloudWatch metrics for your Application Load Balancer, as all facts in
// this file).
const namespace = "AWS/ApplicationELB"

// Units of the metrics.
const (
	count   = "Count"
	bytes   = "Bytes"
	seconds = "Seconds"
)

// place is where something was counted.
type place struct{ region, loadBalancer, zone string }

func placeOf(n balancer.NodeCounters) (place, bool) {
	fields := strings.SplitN(n.LoadBalancer, ":", 6)
	if len(fields) < 6 {
		return place{}, false
	}
	return place{fields[3], strings.TrimPrefix(fields[5], "loadbalancer/"), n.Zone}, true
}

func (p place) ofLoadBalancer() metric.Dimension {
	return metric.Dimension{Name: "LoadBalancer", Value: p.loadBalancer}
}

func (p place) ofZone() metric.Dimension {
	return metric.Dimension{Name: "AvailabilityZone", Value: p.zone}
}

// groupKey is a target group of a load balancer, in all zones.
type groupKey struct{ loadBalancer, group string }

// add writes down by how much the counters have grown, and what stands now.
func (l *Loop) add(at time.Time, before, now balancer.Counters) {
	old := map[place]balancer.NodeCounters{}
	for _, n := range before.Nodes {
		if p, ok := placeOf(n); ok {
			old[p] = n
		}
	}
	targets := targetsOf(now)
	for _, n := range now.Nodes {
		p, ok := placeOf(n)
		if !ok {
			continue
		}
		a := adder{l.Metrics, at, p}
		last := old[p]
		a.node(last, n)
		if dropped := n.LogDropped - min(n.LogDropped, last.LogDropped); dropped > 0 {
			l.Log.Warn(
				"entries of an access log were left out",
				"load_balancer",
				p.loadBalancer,
				"zone",
				p.zone,
				"entries",
				dropped,
			)
		}
		groups := map[string]balancer.GroupCounters{}
		for _, g := range last.Groups {
			groups[g.TargetGroup] = g
		}
		for _, g := range n.Groups {
			a.group(groups[g.TargetGroup], g, targets[groupKey{n.LoadBalancer, g.TargetGroup}])
		}
	}
}

// taking is how many targets share a group's requests: the healthy ones, or all
// when none is.
func taking(g balancer.GroupCounters) int {
	if g.Healthy == 0 {
		return g.Unhealthy
	}
	return g.Healthy
}

// targetsOf are how many targets the groups have in all zones together.
func targetsOf(c balancer.Counters) map[groupKey]int {
	out := map[groupKey]int{}
	for _, n := range c.Nodes {
		for _, g := range n.Groups {
			key := groupKey{n.LoadBalancer, g.TargetGroup}
			if g.ZoneOnly {
				out[key] += taking(g)
			} else {
				out[key] = max(out[key], taking(g))
			}
		}
	}
	return out
}

// adder adds to the metrics of a place.
type adder struct {
	to *metric.Store
	at time.Time
	place
}

func (a adder) add(name, unit string, measured metric.Summary, dimensions ...metric.Dimension) {
	a.to.Add(a.region, metric.NewID(namespace, name, dimensions...), a.at, unit, measured)
}

// node adds what a node has counted for itself. A metric without anything to
// tell is not reported.
func (a adder) node(last, now balancer.NodeCounters) {
	all, zone := a.ofLoadBalancer(), a.ofZone()
	both := func(name, unit string, s metric.Summary) {
		a.add(name, unit, s, all)
		a.add(name, unit, s, zone, all)
	}
	for name, n := range grown(last.Sums, now.Sums) {
		if name == "ProcessedBytes" {
			both(name, bytes, metric.SummaryOf(n, 1))
		} else {
			both(name, count, metric.SummaryOf(1, n))
		}
	}
	// Sum is the one statistic that means something: one sample a minute.
	if now.Active > 0 && a.at.Truncate(metric.Resolution).Sub(a.at) > -every {
		both("ActiveConnectionCount", count, metric.SummaryOf(float64(now.Active), 1))
	}
}

func grown(last, now map[string]uint64) map[string]float64 {
	out := map[string]float64{}
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if now[name] > last[name] {
			out[name] = float64(now[name] - last[name])
		}
	}
	return out
}

// group adds what a node has counted for a target group, which has so many
// targets in all zones.
func (a adder) group(last, now balancer.GroupCounters, targets int) {
	fields := strings.SplitN(now.TargetGroup, ":", 6)
	all, zone := a.ofLoadBalancer(), a.ofZone()
	group := metric.Dimension{Name: "TargetGroup", Value: fields[len(fields)-1]}
	four := func(name, unit string, s metric.Summary) {
		a.add(name, unit, s, all)
		a.add(name, unit, s, zone, all)
		a.add(name, unit, s, group, all)
		a.add(name, unit, s, group, zone, all)
	}
	sums := grown(last.Sums, now.Sums)
	for name, n := range sums {
		four(name, count, metric.SummaryOf(1, n))
	}
	if times := answered(last, now); times.Count > 0 {
		four("TargetResponseTime", seconds, times)
	}
	// Zeros too, of what has targets: policies that track it have to see that there
	// is nothing to do (Amazon EC2 Auto Scaling User Guide, Target tracking scaling
	// policies).
	if n := sums["RequestCount"]; targets > 0 && (n > 0 || now.Present) {
		each := metric.SummaryOf(n/float64(targets), 1)
		a.add("RequestCountPerTarget", count, each, group)
		a.add("RequestCountPerTarget", count, each, group, all)
		if here := taking(now); here > 0 {
			each = metric.SummaryOf(n/float64(here), 1)
			a.add("RequestCountPerTarget", count, each, group, zone)
			a.add("RequestCountPerTarget", count, each, group, zone, all)
		}
	}
	if now.Present && now.Healthy+now.Unhealthy > 0 {
		for name, n := range map[string]int{"HealthyHostCount": now.Healthy, "UnHealthyHostCount": now.Unhealthy} {
			a.add(name, count, metric.SummaryOf(float64(n), 1), group, all)
			a.add(name, count, metric.SummaryOf(float64(n), 1), group, zone, all)
		}
	}
}

// answered summarises the response times that have come since. Least and
// greatest are known to a sixteenth.
func answered(last, now balancer.GroupCounters) metric.Summary {
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
