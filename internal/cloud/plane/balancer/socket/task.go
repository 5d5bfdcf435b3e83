//go:build linux

package socket

import "iter"

// Server serves something on a task, such as a connection, from beginning to end.
type Server interface{ Serve(t *Task) }

// Task is a coroutine of a loop. It waits for its connections as a goroutine would;
// meanwhile the loop runs other tasks. Switching between them costs a fraction of what
// Go's scheduler takes, and no system call.
type Task struct {
	loop         *Loop
	server       Server
	blocking     bool // a goroutine works for it: see RunBlocking
	blockingDone bool // that goroutine has ended

	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool
}

// taskFunc is a Server that calls a function.
type taskFunc func()

// Serve calls the function.
func (f taskFunc) Serve(*Task) { f() }

// PostTask runs do as a task, soon. It may be called from any goroutine. It returns false
// if the loop has ended.
func (l *Loop) PostTask(do func()) bool { return l.Post(func() { l.Start(taskFunc(do)) }) }

// Loop returns the task's loop.
func (t *Task) Loop() *Loop { return t.loop }

// Start runs s on a task until it waits. It must be called on the loop's goroutine.
func (l *Loop) Start(s Server) {
	l.active++
	if last := len(l.idle) - 1; last >= 0 {
		t := l.idle[last]
		l.idle[last] = nil
		l.idle = l.idle[:last]
		t.server = s
		l.resume(t)
		return
	}
	t := &Task{loop: l, server: s}
	t.next, t.stop = iter.Pull(t.run)
	l.resume(t)
}

// run serves one server after the other: a new coroutine for each would have to grow its
// stack again for every short connection.
func (t *Task) run(yield func(struct{}) bool) {
	t.yield = yield
	for t.server != nil {
		t.server.Serve(t)
		t.server = nil
		t.loop.active--
		if len(t.loop.idle) >= maxIdle {
			return
		}
		t.loop.idle = append(t.loop.idle, t)
		for t.server == nil {
			if !yield(struct{}{}) {
				return
			}
		}
	}
}

// resume runs the task until it pauses.
func (l *Loop) resume(t *Task) {
	l.current, l.streak = t, 0
	t.next()
	l.current = nil
}

// pause returns to the loop. It may return before what the task waits for has happened.
func (t *Task) pause() { t.yield(struct{}{}) }

// yieldTurn lets other tasks run until the next round.
func (t *Task) yieldTurn() {
	t.loop.yielded = append(t.loop.yielded, t)
	t.pause()
}

// RunBlocking runs do on a goroutine, where it may block, and returns when do has. Meanwhile
// the loop runs other tasks, and the connections wait in the runtime's poller. With a nil
// task, or on a task's goroutine, it just calls do.
func (t *Task) RunBlocking(do func(), conns ...*Conn) {
	if t == nil || t.blocking {
		do()
		return
	}
	for _, c := range conns {
		_ = c.flushPending() // the next use of the connection returns the error
	}
	t.blocking, t.blockingDone = true, false
	for _, c := range conns {
		c.blocking = true
	}
	go func() { // RunBlocking waits for it
		do()
		t.loop.Post(func() {
			t.blockingDone = true
			t.loop.resume(t)
		})
	}()
	for !t.blockingDone {
		t.pause()
	}
	for _, c := range conns {
		c.returnToLoop(t.loop)
	}
	t.blocking = false
}
