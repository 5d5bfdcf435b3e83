//go:build linux

package instances

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/cloud/store"
)

// worker takes an instance's steps, one after another. It has a goroutine only while there
// are some.
type worker struct {
	id       string
	lock     chan struct{} // capacity 1: full while a step or a capture uses the machine
	failures int           // launches that failed since the last success
	retry    backoff       // since the last step that succeeded

	// The loop's mu guards these.
	running  bool // it has a goroutine, or is due to
	notified bool // the row or the machine changed since its goroutine looked
	captures int  // captures that use it
	timer    *time.Timer
}

// workerOf returns the instance's worker. The caller holds mu.
func (l *Loop) workerOf(id string) *worker {
	w, ok := l.workers[id]
	if !ok {
		w = &worker{id: id, lock: make(chan struct{}, 1), retry: newBackoff()}
		l.workers[id] = w
	}
	return w
}

// notify makes the instance's worker look at its row and its machine.
func (l *Loop) notify(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wake(l.workerOf(id))
}

// wake makes the worker look. The caller holds mu.
func (l *Loop) wake(w *worker) {
	w.notified = true
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
	if w.running {
		return
	}
	w.running = true
	l.due = append(l.due, w)
	select {
	case l.isDue <- struct{}{}:
	default: // the loop will see this worker with the ones before it
	}
}

// startWorkers gives every worker that is due a goroutine of the group, until ctx ends.
func (l *Loop) startWorkers(ctx context.Context, group *errgroup.Group) error {
	for {
		select {
		case <-l.isDue:
		case <-ctx.Done():
			return ctx.Err()
		}
		l.mu.Lock()
		due := l.due
		l.due = nil
		l.mu.Unlock()
		for _, w := range due {
			group.Go(func() error { l.work(ctx, w); return nil })
		}
	}
}

// stopTimers lets no worker wait any longer.
func (l *Loop) stopTimers() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.workers {
		if w.timer != nil {
			w.timer.Stop()
		}
	}
}

// acquire waits for exclusive use of the machine.
func (w *worker) acquire(ctx context.Context) error {
	select {
	case w.lock <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *worker) release() { <-w.lock }

// work takes steps for one instance until none is left or ctx ends.
func (l *Loop) work(ctx context.Context, w *worker) {
	for l.look(w) {
		wait, err := l.converge(ctx, w)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			l.Log.Warn("take an instance's next step", "instance", w.id, "error", err)
			wait = w.retry.next()
		} else {
			w.retry = newBackoff()
		}
		l.rest(w, wait)
	}
}

// look reports whether the worker has something to look at. If not, its goroutine ends.
func (l *Loop) look(w *worker) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	w.running = w.notified
	w.notified = false
	l.forget(w)
	return w.running
}

// forget lets go of a worker that has nothing to do and nothing to remember. The caller holds
// mu.
func (l *Loop) forget(w *worker) {
	if !w.running && w.captures == 0 && w.timer == nil && w.failures == 0 {
		delete(l.workers, w.id)
	}
}

// rest makes the worker look again after a while at the latest; zero: when something changes.
func (l *Loop) rest(w *worker, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case wait == rowDeleted:
		w.failures = 0
	case wait > 0 && !w.notified:
		w.timer = time.AfterFunc(wait, func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.wake(w)
		})
	}
}

// rowDeleted is converge's result for an instance without a row.
const rowDeleted time.Duration = -1

// converge takes steps until none is left. It returns how long to wait before the next
// call; zero means until something changes.
func (l *Loop) converge(ctx context.Context, w *worker) (time.Duration, error) {
	if err := w.acquire(ctx); err != nil {
		return 0, err
	}
	defer w.release()
	for {
		row, ok := store.Instances.Get(l.Store.View(), w.id)
		if !ok {
			return rowDeleted, nil
		}
		now := time.Now()
		step := Next(situationOf(l.Store.View(), row, l.Machines.Status(row.ID), now))
		switch {
		case step.Action == None && now.Before(row.SettledAt):
			return row.SettledAt.Sub(now), nil
		case step.Action == None && row.State != store.Terminated:
			return l.exchangeVolumes(ctx, row)
		case step.Action == None:
			return l.deleteExpired(row)
		}
		if err := l.take(ctx, w, row, step); err != nil {
			return 0, fmt.Errorf("%s instance %s: %w", step.Action, row.ID, err)
		}
	}
}

func (l *Loop) take(ctx context.Context, w *worker, row *store.Instance, step Step) error {
	switch step.Action {
	case Launch:
		return l.launch(ctx, w, row)
	case Stop:
		return l.stop(ctx, row)
	case ShutDown:
		return l.shutDown(ctx, row)
	case Reboot:
		return l.reboot(ctx, row)
	case ReplaceRoot:
		return l.replaceRoot(ctx, row)
	case Terminate:
		return l.terminate(ctx, row)
	case RecordShutdown:
		return l.recordEnd(row, step.Next, shutdownInside, "Instance initiated shutdown")
	case RecordCrash:
		return l.recordEnd(row, step.Next, internalError, "The system of the instance ended unexpectedly")
	}
	if step.Next == store.Stopped {
		return l.recordStopped(row.ID)
	}
	return l.recordRunning(row.ID, row.Reboots, true)
}

// deleteExpired deletes the row of an instance that terminated terminatedRetention
// ago, and that of the Spot request that it was the last one of. Before that it returns the remaining
// time.
func (l *Loop) deleteExpired(row *store.Instance) (time.Duration, error) {
	if row.State != store.Terminated {
		return 0, nil
	}
	if left := terminatedRetention - time.Since(row.TerminatedAt); left > 0 {
		return left, nil
	}
	return rowDeleted, l.Store.Batch(func(tx *store.Tx) {
		store.Instances.Delete(tx, row.ID)
		for _, task := range store.RootReplacementsByInstance.List(tx, row.ID) {
			store.RootReplacements.Delete(tx, task.ID)
		}
		request, ok := store.SpotRequests.Get(tx, row.SpotRequestID)
		if ok && request.InstanceID == row.ID && (request.Again == "" || !request.CancelledAt.IsZero()) {
			store.SpotRequests.Delete(tx, request.ID)
		}
	})
}
