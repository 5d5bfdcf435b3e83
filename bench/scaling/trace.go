//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"aloft.dev/aloft/bench/site"
	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/load"
)

// interval is the time between two observations of the group.
const interval = 5 * time.Second

// point is one observation of the group.
type point struct {
	at        time.Duration // since the load began
	Desired   int
	InService int
	value     float64 // the metric: requests for each server in the last minute; 0: not measured
	high, low apply.ScalingAlarm
	next      string // what the policy will do next
}

// trace is the record of a run.
type trace struct {
	site     *site.Site
	whole    bool
	began    time.Time
	points   []point
	requests load.Recording
	grownTo  int // servers

	// When the load or the group changed, since the load began. 0: it has not.
	tripled, grows, grown, fallen, shrinks, shrunk time.Duration
}

// elapsed returns the time since the load began.
func (t *trace) elapsed() time.Duration { return time.Since(t.began) }

// observeGroup returns the present state of the group.
func (t *trace) observeGroup(ctx context.Context) (point, error) {
	status, err := t.site.Status(ctx)
	if err != nil {
		return point{}, err
	}
	if status.Scaling == nil || status.Scaling.Policy == nil {
		return point{}, fmt.Errorf("read the scaling policy of %s: it has none", status.App)
	}
	p := point{at: t.elapsed(), Desired: status.Scaling.Desired, next: status.Scaling.Policy.Next}
	for _, m := range status.Machines {
		if m.Health == "healthy" && m.Lifecycle == "InService" {
			p.InService++
		}
	}
	if v := status.Scaling.Policy.Value; v != nil {
		p.value = *v
	}
	for _, a := range status.Scaling.Policy.Alarms {
		if a.High {
			p.high = a
		} else {
			p.low = a
		}
	}
	return p, nil
}

// waitUntil observes the group until the condition holds.
func (t *trace) waitUntil(
	ctx context.Context, what string, timeout time.Duration, condition func(point) bool,
) error {
	fmt.Fprintln(os.Stderr, "until", what, "…")
	deadline := time.Now().Add(timeout)
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		p, err := t.observeGroup(ctx)
		if err != nil {
			return err
		}
		t.points = append(t.points, p)
		if condition(p) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("wait until %s: not after %s: %d of %d servers are in service; %s",
				what, timeout, p.InService, p.Desired, p.next)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// result summarizes a trace. Times are in seconds; null: it has not happened.
type result struct {
	Benchmark  string   `json:"benchmark"`
	Sent       int      `json:"sent"`
	Failed     int      `json:"failed"`
	Before     int      `json:"servers_before"`
	Most       int      `json:"servers_most"`
	After      int      `json:"servers_after"`
	Grows      *float64 `json:"grows_after_s"`      // from tripling the load to the higher desired capacity
	Grown      *float64 `json:"in_service_after_s"` // from there to all servers in service
	Shrinks    *float64 `json:"shrinks_after_s"`    // from reducing the load
	Shrunk     *float64 `json:"gone_after_s"`       // from there
	LowBeyond  int      `json:"low_alarm_minutes"`
	LowNeeded  int      `json:"low_alarm_minutes_needed"`
	Whole      bool     `json:"whole"`
	PerServer  float64  `json:"requests_per_server_at_the_end"`
	TargetRate float64  `json:"target_requests_per_server"`
}

func (t *trace) result() result {
	last := t.points[len(t.points)-1]
	r := result{
		Benchmark: "scaling", Sent: len(t.requests.Samples), Whole: t.whole,
		Before: t.points[0].InService, After: last.InService,
		Grows: secondsBetween(t.tripled, t.grows), Grown: secondsBetween(t.grows, t.grown),
		Shrinks: secondsBetween(t.fallen, t.shrinks), Shrunk: secondsBetween(t.shrinks, t.shrunk),
		LowBeyond: last.low.Beyond, LowNeeded: last.low.Needed, PerServer: last.value, TargetRate: target,
	}
	for _, p := range t.points {
		r.Most = max(r.Most, p.InService)
	}
	for _, s := range t.requests.Samples {
		if s.Kind != load.OK {
			r.Failed++
		}
	}
	return r
}

// secondsBetween returns the seconds between two moments, or nil if one has not come.
func secondsBetween(from, to time.Duration) *float64 {
	if from == 0 || to == 0 {
		return nil
	}
	s := (to - from).Seconds()
	return &s
}

func (t *trace) print() {
	r := t.result()
	last := t.points[len(t.points)-1]
	fmt.Printf("%d requests/s, then %d; the target is %d requests a minute for each server; "+
		"%d servers, observed every %s\n", base, base*factor, target, r.Before, interval)
	row := func(what string, seconds *float64) {
		if seconds != nil {
			fmt.Printf("  %-46s %7.1f s\n", what, *seconds)
		}
	}
	row("from the tripled load to more servers wanted", r.Grows)
	row(fmt.Sprintf("from there to %d in service", t.grownTo), r.Grown)
	row("from the fallen load to fewer servers wanted", r.Shrinks)
	row(fmt.Sprintf("from there to %d in service", r.After), r.Shrunk)
	if !t.whole {
		fmt.Printf("  did not wait for the removal of servers (-whole does): "+
			"the low alarm needs %d minutes below %g, as on AWS, and has %d\n",
			r.LowNeeded, last.low.Threshold, r.LowBeyond)
	}
	fmt.Printf("  at most %d servers, %d at the end; next: %s\n", r.Most, r.After, last.next)
	fmt.Printf("  %d of %d requests failed\n", r.Failed, r.Sent)
}
