// Package instances makes the machines of the wanted instances: a loop that
// reads the store, moves each instance one step at a time towards what is
// wanted of it, and writes down what it observed.
package instances

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/store"
)

// Machines is what the loop needs of the machine plane.
type Machines interface {
	Prepare(ctx context.Context, m machine.Machine) (namespace string, err error)
	Boot(ctx context.Context, id string) error
	Stop(ctx context.Context, id string, force bool) error
	Reboot(ctx context.Context, id string) error
	Remove(ctx context.Context, id string) error
	Capture(ctx context.Context, id string, images machine.Images, reboot bool) (layer string, err error)
	Status(id string) machine.Status
	List() []string
	Watch(ctx context.Context) <-chan string
}

// Network is what the loop needs of the network loop: the kernel's network as
// it is wanted now.
type Network interface {
	Sync(ctx context.Context) error
}

// How long a terminated instance stays visible, as on AWS.
const remembered = time.Hour

// Loop drives all instances, each by a worker of its own. Fill the fields, then
// call Run once.
type Loop struct {
	Store    *store.Store
	Machines Machines
	Network  Network
	Log      *slog.Logger
	Parallel int                    // machines launched at once; 0 means 4
	Env      map[string]string      // environment of every machine's system, such as proxies
	Layer    func(id string) string // folder of an image's layer

	once      sync.Once
	launching chan struct{}
	mu        sync.Mutex
	workers   map[string]*worker
}

// worker is the one goroutine that acts for an instance.
type worker struct {
	id     string
	wake   chan struct{} // holds one: look again
	turn   chan struct{} // holds one: whoever has it may act on the machine
	failed int           // launches that failed since the last that did not
}

func (l *Loop) init() {
	l.once.Do(func() {
		parallel := l.Parallel
		if parallel == 0 {
			parallel = 4
		}
		l.launching = make(chan struct{}, parallel)
		l.workers = map[string]*worker{}
	})
}

// Run drives the instances until ctx ends, and leaves the machines running: the
// next Run finds them. First it removes machines that no instance stands for.
func (l *Loop) Run(ctx context.Context) error {
	l.init()
	l.sweep(ctx)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		for id := range l.Machines.Watch(ctx) {
			l.worker(id).nudge()
		}
		return ctx.Err()
	})
	group.Go(func() error { return l.follow(ctx, group) })
	if err := group.Wait(); ctx.Err() == nil {
		return err
	}
	return nil
}

// follow gives every instance a worker and wakes it when its row has changed.
func (l *Loop) follow(ctx context.Context, group *errgroup.Group) error {
	seen := map[string]*store.Instance{}
	for {
		view := l.Store.View()
		rows := store.Instances.List(view)
		present := make(map[string]bool, len(rows))
		for _, row := range rows {
			present[row.ID] = true
			if seen[row.ID] == row {
				continue
			}
			w := l.worker(row.ID)
			if seen[row.ID] == nil {
				group.Go(func() error { l.work(ctx, w); return nil })
			}
			seen[row.ID] = row
			w.nudge()
		}
		maps.DeleteFunc(seen, func(id string, _ *store.Instance) bool { return !present[id] })
		if err := view.Changed(ctx, store.Instances); err != nil {
			return err
		}
	}
}

// sweep removes machines left without an instance, as by a crash between the
// removal of a row and that of its machine.
func (l *Loop) sweep(ctx context.Context) {
	view := l.Store.View()
	for _, id := range l.Machines.List() {
		if row, ok := store.Instances.Get(view, id); ok && row.State != store.Terminated {
			continue
		}
		if err := l.Machines.Remove(ctx, id); err != nil {
			l.Log.Warn("remove a machine that no instance stands for", "instance", id, "error", err)
		}
	}
}

func (l *Loop) worker(id string) *worker {
	l.mu.Lock()
	defer l.mu.Unlock()
	w, ok := l.workers[id]
	if !ok {
		w = &worker{id: id, wake: make(chan struct{}, 1), turn: make(chan struct{}, 1)}
		l.workers[id] = w
	}
	return w
}

func (w *worker) nudge() {
	select {
	case w.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// take waits until nobody else acts on the machine.
func (w *worker) take(ctx context.Context) error {
	select {
	case w.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *worker) give() { <-w.turn }

// work acts for one instance until its row is gone or ctx ends.
func (l *Loop) work(ctx context.Context, w *worker) {
	defer func() {
		l.mu.Lock()
		delete(l.workers, w.id)
		l.mu.Unlock()
	}()
	pause := newPause()
	for {
		wait, err := l.settle(ctx, w)
		switch {
		case ctx.Err() != nil || wait == gone:
			return
		case err != nil:
			l.Log.Warn("act for an instance", "instance", w.id, "error", err)
			wait = pause.next()
		default:
			pause = newPause()
		}
		if !w.sleep(ctx, wait) {
			return
		}
	}
}

// sleep waits for a nudge, or for the duration when it is not zero. It tells
// whether to go on.
func (w *worker) sleep(ctx context.Context, wait time.Duration) bool {
	var late <-chan time.Time
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-w.wake:
		return true
	case <-late:
		return true
	case <-ctx.Done():
		return false
	}
}

// gone is settle's answer when there is no row any more.
const gone time.Duration = -1

// settle takes steps until none is left, and tells how long at most to wait
// before looking again: 0 means until something changes.
func (l *Loop) settle(ctx context.Context, w *worker) (time.Duration, error) {
	if err := w.take(ctx); err != nil {
		return 0, err
	}
	defer w.give()
	for {
		row, ok := store.Instances.Get(l.Store.View(), w.id)
		if !ok {
			return gone, nil
		}
		step := Next(situation(row, l.Machines.Status(row.ID)))
		if step.Action == None {
			return l.forget(row)
		}
		if err := l.act(ctx, w, row, step); err != nil {
			return 0, fmt.Errorf("%s instance %s: %w", step.Action, row.ID, err)
		}
	}
}

// forget drops the row of an instance that was terminated long enough ago.
func (l *Loop) forget(row *store.Instance) (time.Duration, error) {
	if row.State != store.Terminated {
		return 0, nil
	}
	if left := remembered - time.Since(row.TerminatedAt); left > 0 {
		return left, nil
	}
	return gone, l.Store.Update(func(tx *store.Tx) error {
		store.Instances.Delete(tx, row.ID)
		return nil
	})
}

func situation(row *store.Instance, status machine.Status) Situation {
	return Situation{
		Wanted: row.Wanted, State: row.State, Reachable: row.Reachable,
		Rebooting: row.Reboots != row.RebootsDone, ShutdownBehavior: row.ShutdownBehavior,
		Machine: condition(status),
	}
}

func condition(status machine.Status) Condition {
	switch {
	case status.State == machine.Running:
		return Up
	case status.State == machine.Exited && status.Exit == machine.PowerOff:
		return Off
	case status.State == machine.Exited:
		return Broken
	}
	return Absent // a machine that was prepared and never booted is launched again
}
