package drill

import (
	"context"
	"sync"
	"time"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/drill/report"
	"aloft.dev/aloft/internal/load"
)

// Options configure a run.
type Options struct {
	Experiment Experiment
	At         string        // server or zone; "" for the last one
	Rate       float64       // requests per second
	Calm       time.Duration // load before the failure and after the recovery
	Duration   time.Duration // of the failure; 0 for a little longer than its bound
	Force      bool          // break the last healthy server too
	ChangeACLs bool          // a zone's subnets get another network ACL even if they are not the application's
	Settings   report.Settings
	Live       func(load.Recording) // receives the recording so far, periodically; may be nil
}

// Result holds the measurements of a drill.
type Result struct {
	report.Report
	Capacity *Capacity `json:"capacity,omitempty"` // of an overload
}

// run is one run of a drill.
type run struct {
	drill   *Drill
	options Options
	group   string // target group's ARN
	load    *load.Generator
	began   time.Time
	line    timeline

	capacity Capacity // of an overload
}

func (r *run) elapsed() time.Duration { return time.Since(r.began) }

// Preview describes what a drill will do.
type Preview struct {
	Victim   string        // server or zone; "the deployment" of an overload
	Machines []string      // names of the servers that the failure hits
	Bound    report.Bound  // for which requests may fail
	Duration time.Duration // of the failure, at most; 0: until requests fail
}

// Preview returns what Run will do. Its errors are those with which Run would refuse to begin.
func (d *Drill) Preview(ctx context.Context, s *apply.Status, o Options) (Preview, error) {
	v, _, err := d.prepare(ctx, s, o)
	if err != nil {
		return Preview{}, err
	}
	p := Preview{Victim: v.name, Bound: o.Settings.Bound(string(o.Experiment))}
	for _, m := range v.machines {
		p.Machines = append(p.Machines, m.Name)
	}
	if o.Experiment != Overload {
		p.Duration = o.failureLasts()
	}
	return p, nil
}

// prepare chooses what a drill hits and checks that the drill may begin.
func (d *Drill) prepare(
	ctx context.Context, s *apply.Status, o Options,
) (v victim, healthy map[string]bool, err error) {
	if v, err = chooseVictim(o.Experiment, o.At, s.Machines); err != nil {
		return v, nil, err
	}
	if healthy, err = d.healthyTargets(ctx, s.TargetGroupARN); err != nil {
		return v, nil, err
	}
	if !o.Force {
		if err := v.leavesHealthyServers(healthy); err != nil {
			return v, nil, err
		}
	}
	if o.Experiment == Zone { // before any load
		if _, err := d.planIsolation(ctx, v.name, o.ChangeACLs); err != nil {
			return v, nil, err
		}
	}
	return v, healthy, nil
}

// failureLasts returns how long a failure lasts.
func (o Options) failureLasts() time.Duration {
	if o.Duration == 0 {
		return o.Settings.Bound(string(o.Experiment)).Total() + boundMargin
	}
	return o.Duration
}

// Run breaks a deployment, undoes the change and returns what users noticed. It
// returns an error if the drill could not be run; failed requests are not an error.
func (d *Drill) Run(ctx context.Context, s *apply.Status, o Options) (Result, error) {
	v, healthy, err := d.prepare(ctx, s, o)
	if err != nil {
		return Result{}, err
	}
	r := &run{
		drill:   d,
		options: o,
		group:   s.TargetGroupARN,
		line:    timeline{victims: map[string]bool{}, healthyBefore: len(healthy)},
	}
	for _, m := range v.machines {
		r.line.victims[m.InstanceID] = true
	}
	target := servedBy(s.Machines) //nolint:bodyclose // the generator closes the responses that it passes
	r.load = load.New(load.Config{
		URL: s.URL + "/", Rate: o.Rate, Timeout: requestTimeout, Target: target,
		Dial: load.Via(s.DNSName, s.Domains), Roots: d.cfg.Roots,
	})
	recording, err := r.underLoad(ctx, func(ctx context.Context) error {
		if o.Experiment == Overload {
			return r.overload(ctx)
		}
		return r.breakAndRestore(ctx, v)
	})
	if err != nil {
		return Result{}, err
	}
	facts := r.facts(v, recording)
	if s.Alerts != nil {
		facts.Alerts = d.alertsSince(ctx, recording.Started)
	}
	result := Result{Report: report.New(facts)}
	if o.Experiment == Overload {
		result.Capacity = &r.capacity
	}
	return result, nil
}

func (r *run) facts(v victim, recording load.Recording) report.Facts {
	return report.Facts{
		Experiment:    string(r.options.Experiment),
		Victim:        v.name,
		Recording:     recording,
		Settings:      r.options.Settings,
		Bound:         r.bound(),
		Injected:      r.line.injected,
		Detected:      r.line.detected,
		OutOfRotation: r.line.out,
		Restored:      r.line.restored,
		Recovered:     r.line.recovered,
	}
}

func (r *run) bound() report.Bound { return r.options.Settings.Bound(string(r.options.Experiment)) }

// underLoad runs work while the generator sends requests, and passes the recording
// to Options.Live.
func (r *run) underLoad(ctx context.Context, work func(context.Context) error) (load.Recording, error) {
	running, stop := context.WithCancel(ctx)
	defer stop()
	var background sync.WaitGroup
	var recording load.Recording
	r.began = time.Now()
	background.Go(func() { recording = r.load.Run(running) })
	if r.options.Live != nil {
		background.Go(func() { r.showLive(running) })
	}
	err := work(ctx)
	stop()
	background.Wait()
	if err == nil {
		r.line.shift(r.began.Sub(recording.Started)) // from the run's start to the recording's
	}
	return recording, err
}

func (r *run) showLive(ctx context.Context) {
	tick := time.NewTicker(liveInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.options.Live(r.load.Snapshot())
		}
	}
}
