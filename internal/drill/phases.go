package drill

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/lease"
)

var errNotRenewed = errors.New("the record of the drill's change could not be renewed")

// breakAndRestore makes the change of an experiment, waits, undoes it and waits for
// the recovery, with calm periods before and after.
func (r *run) breakAndRestore(ctx context.Context, v victim) error {
	d, o := r.drill, r.options
	if err := awsapi.Sleep(ctx, o.Calm); err != nil {
		return err
	}
	c, err := d.planChange(ctx, o, v)
	if err != nil {
		return err
	}
	l, err := d.begin(ctx, c)
	if err != nil {
		return err
	}
	renewing, stopRenewing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopRenewing()
	held, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var renewal sync.WaitGroup
	renewal.Go(func() { l.Renew(renewing, func() { cancel(errNotRenewed) }) })

	err = r.inject(held, l)
	if err == nil {
		err = r.hold(held)
	}
	var undone error
	if !r.unreached(c) {
		undone = r.restore(ctx, l)
	}
	stopRenewing()
	renewal.Wait()
	if undone == nil {
		undone = awsapi.Wrap("remove the record of the change", l.Release(ctx))
	}
	if undone != nil {
		return restoreProblem(c, err, undone)
	}
	if err != nil {
		return err
	}
	d.note(c.At, "the change is undone: waiting until all servers are healthy")
	if err := r.waitForRecovery(ctx); err != nil {
		return err
	}
	return awsapi.Sleep(ctx, o.Calm)
}

// unreached reports whether a change on a server was not even tried, because the server could
// not be reached. Then there is nothing to undo, which would fail as well.
func (r *run) unreached(c Change) bool {
	return (c.Experiment == App || c.Experiment == Freeze) && r.line.injected == 0
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

// injectedMessages says what an experiment has done to its victim.
var injectedMessages = map[Experiment]string{
	Zone:     "isolated: a network ACL denies all traffic of its subnets",
	Instance: "terminated",
	Power:    "terminated without a shutdown",
	App:      "its service is stopped",
	Freeze:   "its application is suspended",
}

// inject makes the change.
func (r *run) inject(ctx context.Context, l *lease.Lease[Change]) error {
	d, c := r.drill, l.Record()
	injected := func() {
		r.line.injected = r.elapsed()
		d.note(c.At, injectedMessages[c.Experiment])
	}
	switch c.Experiment {
	case Zone:
		return d.isolateZone(ctx, l, injected)
	case Instance, Power:
		injected()
		return d.terminate(ctx, c.InstanceID, c.Experiment == Instance)
	}
	breaks, _ := serviceScripts(c.Experiment, d.cfg.Program)
	return d.runOn(ctx, c.At, breaks, injected)
}

// hold keeps the failure for its duration and watches the targets' health. A
// terminated server is replaced once it is out of rotation: that is when an alarm
// would reach an operator, who runs aloft up.
func (r *run) hold(ctx context.Context) error {
	duration := r.options.failureLasts()
	return r.watchHealth(ctx, func() bool {
		over := r.elapsed()-r.line.injected >= duration
		return over || r.options.Experiment.Terminates() && r.line.out > 0
	})
}

// restore undoes the change, also when the drill was interrupted, and watches the
// targets' health meanwhile.
func (r *run) restore(ctx context.Context, l *lease.Lease[Change]) error {
	change := l.Record()
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoLimit)
	defer cancel()
	if ctx.Err() != nil {
		r.drill.note(change.At, "interrupted: restoring what was changed")
	}
	undone := make(chan error, 1)
	var err error
	go func() { undone <- r.drill.undo(limited, change) }()
	finished := func() bool {
		select {
		case err = <-undone:
			return true
		default:
			return false
		}
	}
	if r.watchHealth(limited, finished) != nil {
		err = <-undone // the undo continues although the health cannot be read
	}
	if err == nil {
		r.line.restored = r.elapsed()
	}
	return err
}

// waitForRecovery waits until as many targets are healthy as before the failure.
// It returns at once after the bound if the load balancer did not notice the
// failure.
func (r *run) waitForRecovery(ctx context.Context) error {
	late := diag.List{{
		Where:   "recovery",
		Summary: fmt.Sprintf("the servers are not all healthy %s after the drill", recoveryLimit),
		Hint:    "aloft status shows their health; aloft up replaces unhealthy servers",
	}}
	limited, cancel := context.WithTimeoutCause(ctx, recoveryLimit, late)
	defer cancel()
	return r.watchHealth(limited, func() bool {
		unnoticed := r.line.detected == 0 && r.elapsed()-r.line.restored > r.bound().Total()
		return r.line.recovered > 0 || unnoticed
	})
}
