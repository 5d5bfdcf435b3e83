package drill

import (
	"context"
	"fmt"
	"sync"
	"time"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/drill/report"
	"aloft.dev/aloft/internal/lease"
	"aloft.dev/aloft/internal/load"
)

// Options say what is drilled and how.
type Options struct {
	Experiment Experiment
	At         string        // server or zone; "" for the last
	Rate       float64       // requests a second
	Calm       time.Duration // load before the disturbance and after all is well
	Duration   time.Duration // how long the disturbance stands; 0: as long as its bound, and a margin
	Force      bool          // also when no healthy server would be left
	Settings   report.Settings
	Live       func(load.Recording) // is shown the recording so far every now and then; may be nil
}

const (
	undoLimit    = 10 * time.Minute // a machine is started and becomes healthy in it
	recoverLimit = 10 * time.Minute
	showEvery    = 500 * time.Millisecond
	// margin is how much longer than its bound a disturbance stands, so that it
	// can be seen whether the bound holds.
	margin = 10 * time.Second
)

// Result is what a drill measured.
type Result struct {
	report.Report
	Capacity *Capacity `json:"capacity,omitempty"` // of an overload
}

// run is one drill under way.
type run struct {
	drill   *Drill
	options Options
	group   string // target group
	load    *load.Generator
	began   time.Time
	line    timeline

	capacity Capacity // of an overload
}

func (r *run) since() time.Duration { return time.Since(r.began) }

// Run drills a deployment, puts back what it changed and gives what it measured.
// An error tells that the drill could not be done; what the users saw is no
// error.
func (d *Drill) Run(ctx context.Context, s *apply.Status, o Options) (Result, error) {
	facts := report.Facts{
		Experiment: string(o.Experiment),
		Settings:   o.Settings,
		Bound:      o.Settings.Bound(string(o.Experiment)),
	}
	v, err := choose(o.Experiment, o.At, s.Machines)
	if err != nil {
		return Result{}, err
	}
	healthy, err := d.healthy(ctx, s.TargetGroupARN)
	if err != nil {
		return Result{}, err
	}
	if !o.Force {
		if err := v.spare(healthy); err != nil {
			return Result{}, err
		}
	}
	r := &run{
		drill:   d,
		options: o,
		group:   s.TargetGroupARN,
		line:    timeline{victims: map[string]bool{}, need: len(healthy)},
	}
	for _, m := range v.machines {
		r.line.victims[m.InstanceID] = true
	}
	target := named(s.Machines) //nolint:bodyclose // the generator closes the answers that it shows
	r.load = load.New(
		load.Config{URL: s.URL + "/", Rate: o.Rate, Timeout: requestPatience, Dial: load.Dial, Target: target},
	)
	facts.Victim = v.name
	facts.Recording, err = r.loaded(ctx, func(ctx context.Context) error {
		if o.Experiment == Overload {
			return r.overload(ctx)
		}
		return r.disturbed(ctx, v)
	})
	if err != nil {
		return Result{}, err
	}
	t := r.line
	facts.Injected, facts.Detected, facts.OutOfRotation, facts.Restored, facts.Recovered = t.injected, t.detected, t.out, t.restored, t.recovered
	result := Result{Report: report.New(facts)}
	if o.Experiment == Overload {
		result.Capacity = &r.capacity
	}
	return result, nil
}

// loaded does the work under load, and shows how it goes.
func (r *run) loaded(ctx context.Context, work func(context.Context) error) (load.Recording, error) {
	running, stop := context.WithCancel(ctx)
	defer stop()
	var others sync.WaitGroup
	var recording load.Recording
	r.began = time.Now()
	others.Go(func() { recording = r.load.Run(running) })
	if r.options.Live != nil {
		others.Go(func() {
			tick := time.NewTicker(showEvery)
			defer tick.Stop()
			for {
				select {
				case <-running.Done():
					return
				case <-tick.C:
					r.options.Live(r.load.Snapshot())
				}
			}
		})
	}
	err := work(ctx)
	stop()
	others.Wait()
	// What was timed from here is told as the recording counts.
	if err == nil {
		r.line.shift(r.began.Sub(recording.Started))
	}
	return recording, err
}

// disturbed is the drill between two calms.
func (r *run) disturbed(ctx context.Context, v victim) error {
	d, o := r.drill, r.options
	if err := awsapi.Sleep(ctx, o.Calm); err != nil {
		return err
	}
	c, err := d.change(ctx, o.Experiment, v)
	if err != nil {
		return err
	}
	l, err := d.begin(ctx, c)
	if err != nil {
		return err
	}
	keeping, stopKeeping := context.WithCancel(context.WithoutCancel(ctx))
	defer stopKeeping()
	under, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var keeper sync.WaitGroup
	keeper.Go(func() { l.Renew(keeping, func() { cancel(errNotRenewed) }) })

	err = r.inject(under, l)
	if err == nil {
		err = r.hold(under)
	}
	undone := r.restore(ctx, l)
	stopKeeping()
	keeper.Wait()
	if undone == nil {
		undone = wrap("remove the record of the change", l.Release(ctx))
	}
	if undone != nil {
		return restoreProblem(c, err, undone)
	}
	if err != nil {
		return err
	}
	d.note(c.At, "everything is as it was: waiting until all servers are healthy")
	if err := r.recovered(ctx); err != nil {
		return err
	}
	return awsapi.Sleep(ctx, o.Calm)
}

// restoreProblem returns the error of a drill whose change was not undone: what
// ended the drill, if it failed before, and what prevented the restore.
func restoreProblem(c Change, err, undone error) error {
	problems := append(awsapi.Explain("", err), awsapi.Explain(c.At, undone)...)
	return append(problems, &diag.Diagnostic{
		Where:   c.At,
		Summary: "what the drill changed was not restored",
		Hint:    "run aloft drill --restore; the next aloft command tries it too",
		Cause:   undone,
	})
}

// inject makes the change.
func (r *run) inject(ctx context.Context, l *lease.Lease[Change]) error {
	d, c := r.drill, l.Record()
	now := func() {
		r.line.injected = r.since()
		d.note(c.At, map[Experiment]string{
			Zone: "cut off: its subnets are under a network ACL that refuses all", Instance: "terminated",
			App: "its service is stopped", Freeze: "its application is frozen",
		}[c.Experiment])
	}
	switch c.Experiment {
	case Zone:
		return d.cut(ctx, l, now)
	case Instance:
		now()
		return d.terminate(ctx, c.InstanceID)
	}
	do, _ := scripts(c.Experiment, d.cfg.App)
	return d.on(ctx, c.At, do, now)
}

// hold lets the disturbance stand and looks what the load balancer makes of it.
// A machine that was terminated is missed until it is out of rotation: that is
// when somebody is told, and runs aloft up.
func (r *run) hold(ctx context.Context) error {
	stands := r.options.Duration
	if stands == 0 {
		stands = r.bound().Total() + margin
	}
	within := func() bool { return r.since()-r.line.injected < stands }
	return r.watch(ctx, func() bool {
		return !within() || r.options.Experiment == Instance && r.line.out > 0
	})
}

// restore puts the change back, also when the drill was stopped, and looks at the
// targets meanwhile.
func (r *run) restore(ctx context.Context, l *lease.Lease[Change]) error {
	change := l.Record()
	whole, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoLimit)
	defer cancel()
	if ctx.Err() != nil {
		r.drill.note(change.At, "stopped: putting back what was changed")
	}
	undone := make(chan error, 1)
	var err error
	go func() { undone <- r.drill.undo(whole, change) }()
	ended := func() bool {
		select {
		case err = <-undone:
			return true
		default:
			return false
		}
	}
	if r.watch(whole, ended) != nil {
		err = <-undone // that it could not be watched is no reason to leave it
	}
	if err == nil {
		r.line.restored = r.since()
	}
	return err
}

// recovered waits until as many targets are healthy as before.
func (r *run) recovered(ctx context.Context) error {
	limit, cancel := context.WithTimeoutCause(
		ctx,
		recoverLimit,
		fmt.Errorf("the servers are not all healthy %s after the drill", recoverLimit),
	)
	defer cancel()
	return r.watch(limit, func() bool {
		unseen := r.line.detected == 0 && r.since()-r.line.restored > r.bound().Total()
		return r.line.recovered > 0 || unseen
	})
}

func (r *run) bound() report.Bound {
	return r.options.Settings.Bound(string(r.options.Experiment))
}
