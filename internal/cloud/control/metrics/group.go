package metrics

import (
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/scaling/capacity"
	"aloft.dev/aloft/internal/cloud/store"
)

// groups measures the Auto Scaling groups that are to be, once a minute (Amazon
// EC2 Auto Scaling User Guide, Amazon CloudWatch metrics for Amazon EC2 Auto
// Scaling: a data point a minute).
func (l *Loop) groups(now time.Time) {
	minute := now.Add(-every / 2).Truncate(metric.Resolution)
	if !minute.After(l.counted) {
		return
	}
	l.counted = minute
	view := l.Store.View()
	for _, group := range store.ScalingGroups.List(view) {
		if len(group.Metrics) == 0 {
			continue
		}
		sizes := sizesOf(group, store.ScalingInstances.By(view, "group", group.Key()))
		for name, value := range sizes {
			if slices.Contains(group.Metrics, name) {
				id := metric.NewID(
					"AWS/AutoScaling", name, metric.Dimension{Name: "AutoScalingGroupName", Value: group.Name},
				)
				l.Metrics.Add(group.Region, id, minute, "None", metric.SummaryOf(float64(value), 1))
			}
		}
	}
}

// sizesOf counts a group's instances, by the names of the group metrics. An
// instance is one unit of capacity; there are no warm pools.
func sizesOf(group *store.ScalingGroup, members []*store.ScalingInstance) map[string]int {
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
		kind := ""
		switch {
		case m.State == store.LifecycleInService:
			kind = "InService"
		case strings.HasPrefix(m.State, store.LifecyclePending):
			kind = "Pending"
		case m.State == store.LifecycleStandby, m.State == store.LifecycleEnteringStandby:
			kind = "Standby"
		case strings.HasPrefix(m.State, store.LifecycleTerminating):
			kind = "Terminating"
		default:
			continue // it is leaving, or has left
		}
		for _, name := range []string{
			"Group" + kind + "Instances", "Group" + kind + "Capacity", "GroupTotalInstances", "GroupTotalCapacity",
			"GroupAndWarmPoolTotalCapacity",
		} {
			out[name]++
		}
	}
	return out
}
