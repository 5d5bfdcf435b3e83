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

// Machines is what the loop needs of the machine plane.
type Machines interface {
	Usage(id string) (machine.Usage, bool)
}

var _ Machines = (*machine.Plane)(nil)

// reading is what a machine had used at a time.
type reading struct {
	machine.Usage
	at time.Time
}

// machines measures what the machines have used, once a minute (Amazon EC2 User
// Guide, CloudWatch metrics that are available for your instances, as all facts in
// this file). Every instance is measured as with detailed monitoring: a period of
// five minutes, AWS's without it, would make a rehearsal wait for nothing but its
// numbers.
func (l *Loop) machines(now time.Time) {
	view := l.Store.View()
	minute := now.Truncate(metric.Resolution)
	seen := make(map[string]reading, len(l.used))
	for _, row := range store.Instances.List(view) {
		if row.State != store.Running {
			continue
		}
		usage, ok := l.Machines.Usage(row.ID)
		last, known := l.used[row.ID]
		switch next := (reading{usage, now}); {
		case !ok:
		case !known || usage.CPU < last.CPU: // it has started since
			seen[row.ID] = next
		case !last.at.Before(minute):
			seen[row.ID] = last
		default:
			seen[row.ID] = next
			l.machine(view, row, last, next)
		}
	}
	l.used = seen
}

// machine adds what one has used between two readings to the minute of the first.
func (l *Loop) machine(view store.Reader, row *store.Instance, last, now reading) {
	kind, ok := instancetype.ByName(row.Type)
	if !ok {
		return
	}
	at, span := now.at.Add(-every/2), now.at.Sub(last.at)
	own, shared := dimensionsOf(view, row, now.at)
	add := func(name, unit string, value float64, sets ...[]metric.Dimension) {
		for _, dimensions := range slices.Concat(own, sets) {
			l.Metrics.Add(
				row.Region, metric.NewID("AWS/EC2", name, dimensions...), at, unit, metric.SummaryOf(value, 1),
			)
		}
	}
	add(
		"CPUUtilization",
		"Percent",
		min(100*float64(now.CPU-last.CPU)/(float64(span)*float64(kind.VCPUs)), 100),
		shared...)
	add("NetworkIn", bytes, float64(now.Received-min(last.Received, now.Received)), shared...)
	add("NetworkOut", bytes, float64(now.Sent-min(last.Sent, now.Sent)), shared...)
	failed := 1.0
	if row.Reachable || now.at.Sub(row.LaunchTime) < initializing {
		failed = 0
	}
	add("StatusCheckFailed", count, failed)
	add("StatusCheckFailed_Instance", count, failed)
	add("StatusCheckFailed_System", count, 0) // there is one host, and it runs this
}

// initializing is how long status checks may take to pass first.
const initializing = 5 * time.Minute

// dimensionsOf are the sets of dimensions under which an instance is measured: its
// own and its Auto Scaling group, to which it counts once it has warmed up; and,
// but for status checks, its image, its type and all instances together.
func dimensionsOf(view store.Reader, row *store.Instance, now time.Time) (own, shared [][]metric.Dimension) {
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
