//go:build linux

package metrics

import (
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/scaling/capacity"
	"aloft.dev/aloft/internal/cloud/store"
)

// statusCheckGrace is how long after the launch status checks may take to pass for the
// first time.
const statusCheckGrace = 5 * time.Minute

// usage is a machine's cumulative usage at a time.
type usage struct {
	machine.Usage
	at time.Time
}

// measureInstances measures the running instances once a minute. The source of all
// facts about their metrics is the Amazon EC2 User Guide, CloudWatch metrics that are
// available for your instances. All instances have detailed monitoring: with AWS's
// default of five minutes, a rehearsal would wait for nothing but its metrics.
func (l *Loop) measureInstances(now time.Time) {
	view := l.Store.View()
	minute := now.Truncate(metric.Resolution)
	seen := make(map[string]usage, len(l.usage))
	for _, row := range store.Instances.List(view) {
		if row.State != store.Running {
			continue
		}
		used, ok := l.Machines.Usage(row.ID)
		last, known := l.usage[row.ID]
		switch next := (usage{used, now}); {
		case !ok:
		case !known || used.CPU < last.CPU: // the machine started since the last reading
			seen[row.ID] = next
		case !last.at.Before(minute):
			seen[row.ID] = last
		default:
			seen[row.ID] = next
			l.addInstance(view, row, last, next)
		}
	}
	l.usage = seen
}

// addInstance adds the usage between two readings, and the status checks.
func (l *Loop) addInstance(view store.Reader, row *store.Instance, last, now usage) {
	offered, ok := instancetype.ByName(row.Type)
	if !ok {
		return
	}
	at := now.at.Add(-interval / 2)
	own, shared := dimensionSets(view, row, now.at)
	add := func(name, unit string, value float64, sets ...[]metric.Dimension) {
		for _, dimensions := range slices.Concat(own, sets) {
			id := metric.NewID("AWS/EC2", name, dimensions...)
			l.Metrics.Add(row.Region, id, at, unit, metric.SummaryOf(value, 1))
		}
	}
	available := float64(now.at.Sub(last.at)) * float64(row.VCPUs(offered.VCPUs))
	add("CPUUtilization", percent, min(100*float64(now.CPU-last.CPU)/available, 100), shared...)
	add("NetworkIn", bytes, float64(now.Received-min(last.Received, now.Received)), shared...)
	add("NetworkOut", bytes, float64(now.Sent-min(last.Sent, now.Sent)), shared...)
	failed := 1.0
	if row.ImpairedSince.IsZero() && (row.Reachable || now.at.Sub(row.LaunchTime) < statusCheckGrace) {
		failed = 0
	}
	add("StatusCheckFailed", count, failed)
	add("StatusCheckFailed_Instance", count, failed)
	add("StatusCheckFailed_System", count, 0) // the system is this host, which works
}

// dimensionSets returns the sets of dimensions of an instance's metrics. own are the
// instance, and its Auto Scaling group once it has warmed up. shared are its image, its
// type and, without dimensions, all instances; status checks are not measured by them.
func dimensionSets(view store.Reader, row *store.Instance, now time.Time) (own, shared [][]metric.Dimension) {
	own = [][]metric.Dimension{{{Name: "InstanceId", Value: row.ID}}}
	if member, ok := store.ScalingInstances.Get(view, row.ID); ok && capacity.CountsInMetrics(view, member, now) {
		own = append(own, []metric.Dimension{{Name: "AutoScalingGroupName", Value: member.Group}})
	}
	return own, [][]metric.Dimension{
		{{Name: "ImageId", Value: row.ImageID}},
		{{Name: "InstanceType", Value: row.Type}},
		nil,
	}
}
