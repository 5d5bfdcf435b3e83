//go:build linux

package metrics

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/plane/balancer"
)

// measureBalancer reads the balancer's counters and adds their growth to the metrics.
func (l *Loop) measureBalancer(ctx context.Context, now time.Time) {
	bounded, cancel := context.WithTimeout(ctx, interval/2)
	defer cancel()
	counters, err := l.Balancer.Counters(bounded)
	if err != nil {
		if !l.failing && ctx.Err() == nil {
			l.Log.Warn("read the balancer's counters", "error", err)
		}
		l.failing = true
		return
	}
	l.failing = false
	before := l.counters
	l.counters = counters
	if !counters.Since.Equal(before.Since) { // the balancer's process is new to this loop
		if counters.Since.Before(l.started) {
			return // it counted before this loop did, so its growth is unknown
		}
		before = balancer.Counters{}
	}
	l.addGrowth(now.Add(-interval/2), before, counters)
}

// nodeKey identifies a node across restarts of the balancer.
type nodeKey struct {
	region       identity.Region
	loadBalancer string // as in the dimension LoadBalancer: app/NAME/ID
	zone         string
}

func keyOf(n balancer.NodeCounters) (key nodeKey, ok bool) {
	fields := strings.SplitN(n.LoadBalancer, ":", 6) // of the ARN
	if len(fields) < 6 {
		return nodeKey{}, false
	}
	return nodeKey{identity.RegionOfARN(n.LoadBalancer), strings.TrimPrefix(fields[5], "loadbalancer/"), n.Zone}, true
}

// groupKey identifies a target group of a load balancer, by their ARNs.
type groupKey struct{ loadBalancer, group string }

// addGrowth adds the difference between two readings to the metrics, and the current
// values of what is not a counter.
func (l *Loop) addGrowth(at time.Time, before, now balancer.Counters) {
	old := map[nodeKey]balancer.NodeCounters{}
	for _, n := range before.Nodes {
		if key, ok := keyOf(n); ok {
			old[key] = n
		}
	}
	targets := targetCounts(now)
	for _, n := range now.Nodes {
		key, ok := keyOf(n)
		if !ok {
			continue
		}
		a := nodeMetrics{l.Metrics, at, key}
		last := old[key]
		a.addNode(last, n)
		if dropped := n.LogDropped - min(n.LogDropped, last.LogDropped); dropped > 0 {
			l.Log.Warn("the balancer dropped entries of an access log",
				"load_balancer", key.loadBalancer, "zone", key.zone, "entries", dropped)
		}
		groups := map[string]balancer.GroupCounters{}
		for _, g := range last.Groups {
			groups[g.TargetGroup] = g
		}
		for _, g := range n.Groups {
			a.addGroup(groups[g.TargetGroup], g, targets[groupKey{n.LoadBalancer, g.TargetGroup}])
		}
	}
}

// growth returns the differences of the sums that grew.
func growth(last, now map[string]uint64) map[string]float64 {
	out := map[string]float64{}
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if now[name] > last[name] {
			out[name] = float64(now[name] - last[name])
		}
	}
	return out
}
