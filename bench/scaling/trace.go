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

// every is from one look at the group to the next.
const every = 5 * time.Second

// point is how the group stood at a time.
type point struct {
	at        time.Duration // since the load began
	Desired   int
	InService int
	value     float64 // requests for each server in the last minute measured; 0: none is
	high, low apply.ScalingAlarm
	next      string
}

// trace is the run. Times are since the load began; 0: it did not come to that.
type trace struct {
	site     *site.Site
	whole    bool
	began    time.Time
	points   []point
	requests load.Recording

	tripled, told, grown, fallen, shrinks, shrunk time.Duration
	grownTo                                       int
}

func (t *trace) since() time.Duration { return time.Since(t.began) }

// look asks how the group stands.
func (t *trace) look(ctx context.Context) (point, error) {
	status, err := t.site.Status(ctx)
	if err != nil {
		return point{}, err
	}
	if status.Scaling == nil || status.Scaling.Policy == nil {
		return point{}, fmt.Errorf("%s follows nothing", status.App)
	}
	p := point{at: t.since(), Desired: status.Scaling.Desired, next: status.Scaling.Policy.Next}
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

// until looks at the group again and again, until it stands as that.
func (t *trace) until(ctx context.Context, what string, limit time.Duration, stands func(point) bool) error {
	fmt.Fprintln(os.Stderr, "until", what, "…")
	deadline := time.Now().Add(limit)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		p, err := t.look(ctx)
		if err != nil {
			return err
		}
		t.points = append(t.points, p)
		if stands(p) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf(
				"within %s it was not so that %s: %d servers of %d, %s",
				limit,
				what,
				p.InService,
				p.Desired,
				p.next,
			)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// result is the trace as a document. Times are in seconds; null: it did not come
// to that.
type result struct {
	Benchmark  string   `json:"benchmark"`
	Sent       int      `json:"sent"`
	Failed     int      `json:"failed"`
	Before     int      `json:"servers_before"`
	Most       int      `json:"servers_most"`
	After      int      `json:"servers_after"`
	Told       *float64 `json:"grows_after_s"`      // from the tripled load to the higher desired capacity
	Grown      *float64 `json:"in_service_after_s"` // from there to all being healthy
	Shrinks    *float64 `json:"shrinks_after_s"`    // from the fallen load
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
		Benchmark: "scaling", Sent: len(t.requests.Samples), Before: t.points[0].InService, After: last.InService, Whole: t.whole,
		Told: between(
			t.tripled,
			t.told,
		), Grown: between(t.told, t.grown), Shrinks: between(t.fallen, t.shrinks), Shrunk: between(t.shrinks, t.shrunk),
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

func between(from, to time.Duration) *float64 {
	if from == 0 || to == 0 {
		return nil
	}
	s := (to - from).Seconds()
	return &s
}

func (t *trace) print() {
	r := t.result()
	last := t.points[len(t.points)-1]
	fmt.Printf(
		"%d requests/s, then %d; %d requests a minute for each server is the target; %d servers, looked at every %s\n",
		base,
		base*factor,
		target,
		r.Before,
		every,
	)
	row := func(what string, seconds *float64) {
		if seconds != nil {
			fmt.Printf("  %-46s %7.1f s\n", what, *seconds)
		}
	}
	row("from the tripled load to more servers wanted", r.Told)
	row(fmt.Sprintf("from there to %d in service", t.grownTo), r.Grown)
	row("from the fallen load to fewer servers wanted", r.Shrinks)
	row(fmt.Sprintf("from there to %d in service", r.After), r.Shrunk)
	if !t.whole {
		fmt.Printf(
			"  it was not waited for the removal (-whole does): the low alarm needs %d minutes below %g, as on AWS, and has %d of them\n",
			r.LowNeeded,
			last.low.Threshold,
			r.LowBeyond,
		)
	}
	fmt.Printf(
		"  at most there were %d servers, in the end there are %d; the group's outlook: %s\n",
		r.Most,
		r.After,
		last.next,
	)
	fmt.Printf("  %d of %d requests failed\n", r.Failed, r.Sent)
}
