//go:build linux

package metrics

import (
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/scaling/capacity"
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
		values := groupMetrics(group, store.ScalingInstancesByGroup.List(view, group.Key()))
		for name, value := range values {
			if slices.Contains(group.Metrics, name) {
				id := metric.NewID("AWS/AutoScaling", name, dimension)
				l.Metrics.Add(group.Region, id, minute, none, metric.SummaryOf(float64(value), 1))
			}
		}
	}
}

// groupMetrics returns a group's metrics by name. An instance is one unit of capacity.
// Warm pools are not supported, so the metrics that include them equal the group's.
func groupMetrics(group *store.ScalingGroup, members []*store.ScalingInstance) map[string]int {
	out := map[string]int{
		"GroupMinSize":                    int(group.Min),
		"GroupMaxSize":                    int(group.Max),
		"GroupDesiredCapacity":            int(group.Desired),
		"GroupAndWarmPoolDesiredCapacity": int(group.Desired),
	}
	for _, name := range capacity.GroupMetrics {
		out[name] += 0
	}
	for _, m := range members {
		state := metricState(m.State)
		if state == "" {
			continue
		}
		out["Group"+state+"Instances"]++
		out["Group"+state+"Capacity"]++
		out["GroupTotalInstances"]++
		out["GroupTotalCapacity"]++
		out["GroupAndWarmPoolTotalCapacity"]++
	}
	return out
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
