// Package metrics measures the local cloud: a loop that reads what the planes
// have counted and writes it down as the metrics that AWS has of it.
package metrics

import (
	"context"
	"log/slog"
	"time"

	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/store"
)

// Balancer is what the loop needs of the balancer plane.
type Balancer interface {
	Counters(ctx context.Context) (balancer.Counters, error)
}

var _ Balancer = (*balancer.Client)(nil)

// every is how often the loop looks. What has happened since the last look is
// of the minute in which most of it was.
const every = 10 * time.Second

// Loop measures. Fill the fields, then call Run once.
type Loop struct {
	Balancer Balancer
	Machines Machines
	Store    *store.Store
	Metrics  *metric.Store
	Log      *slog.Logger

	began   time.Time
	failing bool
	last    balancer.Counters
	used    map[string]reading // of machines, by the instance's id
	counted time.Time          // the minute for which groups were counted last
}

// Run measures until ctx ends.
func (l *Loop) Run(ctx context.Context) error {
	l.began = time.Now()
	l.look(ctx, l.began)
	for {
		now := time.Now()
		next := time.NewTimer(now.Truncate(every).Add(every).Sub(now))
		select {
		case <-ctx.Done():
			next.Stop()
			return nil
		case at := <-next.C:
			l.look(ctx, at)
		}
	}
}

// look measures all that is measured.
func (l *Loop) look(ctx context.Context, now time.Time) {
	l.machines(now)
	l.groups(now)
	l.balancers(ctx, now)
	l.Metrics.Expire(now)
}

// balancers reads the counters and adds what they have grown by.
func (l *Loop) balancers(ctx context.Context, now time.Time) {
	bounded, cancel := context.WithTimeout(ctx, every/2)
	defer cancel()
	read, err := l.Balancer.Counters(bounded)
	if err != nil {
		if !l.failing && ctx.Err() == nil {
			l.Log.Warn("read what the balancer has counted", "error", err)
		}
		l.failing = true
		return
	}
	l.failing = false
	at := now.Add(-every / 2)
	before := l.last
	l.last = read
	switch {
	case !read.Since.Equal(before.Since) && read.Since.Before(l.began):
		return // it has counted longer than this loop knows of
	case !read.Since.Equal(before.Since):
		before = balancer.Counters{}
	}
	l.add(at, before, read)
}
