//go:build linux

package instances

import (
	"context"
	"fmt"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// worker takes an instance's steps, one after another.
type worker struct {
	id       string
	wake     chan struct{} // capacity 1: the row or the machine changed
	lock     chan struct{} // capacity 1: full while a step or a capture uses the machine
	failures int           // launches that failed since the last success
}

// worker returns the instance's worker.
func (l *Loop) worker(id string) *worker {
	l.mu.Lock()
	defer l.mu.Unlock()
	w, ok := l.workers[id]
	if !ok {
		w = &worker{id: id, wake: make(chan struct{}, 1), lock: make(chan struct{}, 1)}
		l.workers[id] = w
	}
	return w
}

func (w *worker) notify() {
	select {
	case w.wake <- struct{}{}:
	default: // an earlier notification is still pending
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

// work takes steps for one instance until its row is deleted or ctx ends.
func (l *Loop) work(ctx context.Context, w *worker) {
	defer func() {
		l.mu.Lock()
		delete(l.workers, w.id)
		l.mu.Unlock()
	}()
	retry := newBackoff()
	for {
		wait, err := l.converge(ctx, w)
		switch {
		case ctx.Err() != nil || wait == rowDeleted:
			return
		case err != nil:
			l.Log.Warn("take an instance's next step", "instance", w.id, "error", err)
			wait = retry.next()
		default:
			retry = newBackoff()
		}
		if !w.sleep(ctx, wait) {
			return
		}
	}
}

// sleep waits for a notification, and no longer than wait unless it is zero. It
// reports whether to continue: false means that ctx ended.
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
		step := Next(situationOf(row, l.Machines.Status(row.ID), now))
		switch {
		case step.Action == None && now.Before(row.SettledAt):
			return row.SettledAt.Sub(now), nil
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
// ago. Before that it returns the remaining time.
func (l *Loop) deleteExpired(row *store.Instance) (time.Duration, error) {
	if row.State != store.Terminated {
		return 0, nil
	}
	if left := terminatedRetention - time.Since(row.TerminatedAt); left > 0 {
		return left, nil
	}
	return rowDeleted, l.Store.Update(func(tx *store.Tx) error {
		store.Instances.Delete(tx, row.ID)
		return nil
	})
}
