//go:build linux

// Package metrics measures the local cloud as CloudWatch measures AWS. A loop reads
// the planes' counters and adds what they counted to the metrics of instances, Auto
// Scaling groups, load balancers and target groups.
package metrics

import (
	"context"
	"log/slog"
	"time"

	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/store"
)

// Balancer is the part of the balancer plane that the loop uses.
type Balancer interface {
	Counters(ctx context.Context) (balancer.Counters, error)
}

var _ Balancer = (*balancer.Client)(nil)

// Machines is the part of the machine plane that the loop uses.
type Machines interface {
	Usage(id string) (machine.Usage, bool)
}

var _ Machines = (*machine.Plane)(nil)

// interval is the time between two measurements. What was counted between them belongs
// to the minute that contains its middle.
const interval = 10 * time.Second

// Units of metrics.
const (
	count   = "Count"
	bytes   = "Bytes"
	seconds = "Seconds"
	percent = "Percent"
	none    = "None"
)

// Loop measures all regions. Fill the fields, then call Run once.
type Loop struct {
	Balancer Balancer
	Machines Machines
	Network  Network // nil: nothing carries packets
	Store    *store.Store
	Metrics  *metric.Store
	Log      *slog.Logger
	Manners  *manners.Set // nil: a kind cloud

	started      time.Time
	failing      bool              // the last read of the balancer's counters failed
	counters     balancer.Counters // at the last measurement
	usage        map[string]usage  // of machines, by the instance's id
	flows        map[string]flows  // of nodes at the last measurement, by the network interface
	groupsMinute time.Time         // the minute for which groups were measured last
	saved        time.Time         // the minute in which metrics were saved last
}

// Run measures until ctx ends.
func (l *Loop) Run(ctx context.Context) error {
	l.started = time.Now()
	l.measure(ctx, l.started)
	for {
		now := time.Now()
		next := time.NewTimer(now.Truncate(interval).Add(interval).Sub(now))
		select {
		case <-ctx.Done():
			next.Stop()
			return nil
		case at := <-next.C:
			l.measure(ctx, at)
		}
	}
}

func (l *Loop) measure(ctx context.Context, now time.Time) {
	l.measureInstances(now)
	l.measureGroups(now)
	l.measureBalancer(ctx, now)
	l.measureFlows(now)
	l.Metrics.Expire(now)
	l.save(now)
}

// save writes the metrics of past minutes once a minute, when the last of them are measured.
func (l *Loop) save(now time.Time) {
	minute := now.Truncate(metric.Resolution)
	if now.Sub(minute) < interval || !l.saved.Before(minute) {
		return
	}
	l.saved = minute
	if err := l.Metrics.Save(now, minute); err != nil {
		l.Log.Warn("metrics are not saved yet", "error", err)
	}
}
