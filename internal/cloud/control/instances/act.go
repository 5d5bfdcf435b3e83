package instances

import (
	"context"
	"fmt"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// Bounds of what a machine may take before the loop goes on without it.
const (
	launchTime = 2 * time.Minute
	removeTime = time.Minute
	// launches is how often a launch is tried before it is given up.
	launches = 3
)

// Reasons of a state, as AWS gives them (Amazon EC2 API Reference, StateReason).
const (
	internalError     = "Server.InternalError"
	initiatedByInside = "Client.InstanceInitiatedShutdown"
)

func (l *Loop) act(ctx context.Context, w *worker, row *store.Instance, step Step) error {
	switch step.Action {
	case Launch:
		return l.launch(ctx, w, row)
	case Stop:
		return l.stop(ctx, row)
	case Reboot:
		return l.reboot(ctx, row)
	case Remove:
		return l.remove(ctx, row)
	case Withdraw:
		return l.lower(row, step.Next, initiatedByInside, "Instance initiated shutdown")
	case Surrender:
		return l.lower(row, step.Next, internalError, "The system of the instance ended unexpectedly")
	}
	if step.Next == store.Stopped {
		return l.stopped(row.ID)
	}
	return l.running(row.ID, row.Reboots, true)
}

// launch gives the instance a machine, with its network in place before its
// system starts. After some failures the instance is given up: terminated when
// it has never run, else stopped, as AWS does.
func (l *Loop) launch(ctx context.Context, w *worker, row *store.Instance) error {
	// The local cloud starts it anew. Its turn may come late, so that is told now,
	// once for all tries.
	if row.State == store.Running && time.Since(row.Booted) > launchTime {
		if err := l.edit(row.ID, func(row *store.Instance) { row.Booted = time.Now().UTC() }); err != nil {
			return err
		}
	}
	select {
	case l.launching <- struct{}{}:
		defer func() { <-l.launching }()
	case <-ctx.Done():
		return ctx.Err()
	}
	bounded, cancel := context.WithTimeout(ctx, launchTime)
	defer cancel()
	err := l.boot(bounded, row.ID)
	if err == nil {
		w.failed = 0
		return l.booted(row.ID, row.Reboots)
	}
	if ctx.Err() != nil {
		return err
	}
	if w.failed++; w.failed < launches {
		return err
	}
	w.failed = 0
	next := store.ShuttingDown
	if row.HasRun {
		next = store.Stopping
	}
	l.Log.Error("give up launching an instance", "instance", row.ID, "error", err)
	return l.lower(row, next, internalError, err.Error())
}

func (l *Loop) boot(ctx context.Context, id string) error {
	if err := l.allocate(id); err != nil {
		return err
	}
	m, err := l.describe(id)
	if err != nil {
		return err
	}
	if _, err := l.Machines.Prepare(ctx, m); err != nil {
		return fmt.Errorf("prepare the machine: %w", err)
	}
	if err := l.Network.Sync(ctx); err != nil {
		return fmt.Errorf("connect the machine: %w", err)
	}
	if err := l.Machines.Boot(ctx, id); err != nil {
		return fmt.Errorf("boot the machine: %w", err)
	}
	return nil
}

// stop shuts the machine down. A forced stop cuts its network first, so that
// peers see silence, and a stop under way is hurried when one is forced.
func (l *Loop) stop(ctx context.Context, row *store.Instance) error {
	if row.Force {
		if err := l.Network.Sync(ctx); err != nil {
			return fmt.Errorf("cut off the machine: %w", err)
		}
		return l.stopWith(ctx, row, true)
	}
	orderly, hurry := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		l.hurried(orderly, row.ID, hurry)
	}()
	err := l.stopWith(orderly, row, false)
	interrupted := orderly.Err() != nil && ctx.Err() == nil
	hurry()
	<-watched
	if interrupted {
		return nil // what is wanted now decides
	}
	return err
}

func (l *Loop) stopWith(ctx context.Context, row *store.Instance, force bool) error {
	if err := l.Machines.Stop(ctx, row.ID, force); err != nil {
		return err
	}
	return l.stopped(row.ID)
}

// hurried calls hurry when the instance is to be stopped by force or
// terminated, unless ctx ends before.
func (l *Loop) hurried(ctx context.Context, id string, hurry func()) {
	for {
		view := l.Store.View()
		row, ok := store.Instances.Get(view, id)
		if !ok || row.Force || row.Wanted == store.Terminated {
			hurry()
			return
		}
		if view.Changed(ctx, store.Instances) != nil {
			return
		}
	}
}

func (l *Loop) reboot(ctx context.Context, row *store.Instance) error {
	if err := l.running(row.ID, row.RebootsDone, false); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, launchTime)
	defer cancel()
	if err := l.Machines.Reboot(bounded, row.ID); err != nil {
		return err
	}
	return l.running(row.ID, row.Reboots, true)
}

// remove cuts the machine off before it ends, so that its peers see silence as
// they do on AWS, and destroys it with its disk.
func (l *Loop) remove(ctx context.Context, row *store.Instance) error {
	bounded, cancel := context.WithTimeout(ctx, removeTime)
	defer cancel()
	if row.State != store.ShuttingDown {
		if err := l.edit(row.ID, func(row *store.Instance) { row.State = store.ShuttingDown }); err != nil {
			return err
		}
	}
	if err := l.Network.Sync(bounded); err != nil {
		return fmt.Errorf("cut off the machine: %w", err)
	}
	if err := l.Machines.Remove(bounded, row.ID); err != nil {
		return err
	}
	return l.terminated(row.ID)
}
