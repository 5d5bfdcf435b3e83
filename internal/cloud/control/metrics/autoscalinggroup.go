//go:build linux

package metrics

import (
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/scaling/capacity"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// measureGroups measures the Auto Scaling groups with enabled group metrics, once a
// minute (Amazon EC2 Auto Scaling User Guide, Amazon CloudWatch metrics for Amazon EC2
// Auto Scaling: a data point a minute).
func (l *Loop) measureGroups(now time.Time) {
	minute := now.Add(-interval / 2).Truncate(metric.Resolution)
	if !minute.After(l.groupsMinute) {
		return
	}
	l.groupsMinute = minute
	view := l.Store.View()
	for _, group := range store.ScalingGroups.List(view) {
		if len(group.Metrics) == 0 {
			continue
		}
		dimension := metric.Dimension{Name: "AutoScalingGroupName", Value: group.Name}
		pool, _ := store.WarmPools.Get(view, group.Key())
		values := groupMetrics(group, pool, store.ScalingInstancesByGroup.List(view, group.Key()))
		for name, value := range values {
			if slices.Contains(group.Metrics, name) {
				id := metric.NewID("AWS/AutoScaling", name, dimension)
				l.Metrics.Add(group.Region, id, minute, none, metric.SummaryOf(float64(value), 1))
			}
		}
	}
}

// groupMetrics returns the metrics of a group and its warm pool, nil for none, by name.
func groupMetrics(
	group *store.ScalingGroup, pool *store.WarmPool, members []*store.ScalingInstance,
) map[string]int {
	out := map[string]int{
		"GroupMinSize":                    int(group.Min),
		"GroupMaxSize":                    int(group.Max),
		"GroupDesiredCapacity":            int(group.Desired),
		"GroupAndWarmPoolDesiredCapacity": int(group.Desired),
	}
	for _, name := range capacity.GroupMetrics {
		out[name] += 0
	}
	if pool != nil && !pool.Deleting {
		out["WarmPoolDesiredCapacity"] = int(scalinggroup.WarmPoolSize(group, pool))
		out["GroupAndWarmPoolDesiredCapacity"] += out["WarmPoolDesiredCapacity"]
	}
	for _, m := range members {
		units := scalinggroup.Units(m)
		if scalinggroup.InWarmPool(m) {
			out["WarmPool"+poolMetricState(m.State)+"Capacity"] += units
			out["WarmPoolTotalCapacity"] += units
			out["GroupAndWarmPoolTotalCapacity"] += units
			continue
		}
		state := metricState(m.State)
		if state == "" {
			continue
		}
		out["Group"+state+"Instances"]++
		out["Group"+state+"Capacity"] += units
		out["GroupTotalInstances"]++
		out["GroupTotalCapacity"] += units
		out["GroupAndWarmPoolTotalCapacity"] += units
	}
	return out
}

// poolMetricState returns the name of a lifecycle state in metrics of warm pools.
func poolMetricState(lifecycle string) string {
	switch {
	case strings.HasPrefix(lifecycle, store.LifecycleWarmedPending):
		return "Pending"
	case strings.HasPrefix(lifecycle, store.LifecycleWarmedTerminating):
		return "Terminating"
	}
	return "Warmed"
}

// metricState returns the name of a lifecycle state in group metrics. It returns "" if
// they do not count the instance, because it is detaching or has left.
func metricState(lifecycle string) string {
	switch {
	case lifecycle == store.LifecycleInService:
		return "InService"
	case strings.HasPrefix(lifecycle, store.LifecyclePending):
		return "Pending"
	case lifecycle == store.LifecycleStandby, lifecycle == store.LifecycleEnteringStandby:
		return "Standby"
	case strings.HasPrefix(lifecycle, store.LifecycleTerminating):
		return "Terminating"
	}
	return ""
}
