package socket

import "iter"

// Server serves something from its beginning to its end.
type Server interface{ Serve(t *Task) }

// Task is a coroutine of a loop. It waits for its connections as a goroutine would,
// and meanwhile the loop goes on with others. A change from one to the other costs
// a fraction of what the scheduler takes, and no system call.
type Task struct {
	loop         *Loop
	server       Server
	blocking     bool // a goroutine works for it: see Away
	blockingDone bool // that has ended

	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool
}

// taskFunc is a function that is served.
type taskFunc func()

// Serve does it.
func (j taskFunc) Serve(*Task) { j() }

// PostTask has do done as a task, soon. Anybody may call it; false: the loop has ended.
func (l *Loop) PostTask(do func()) bool { return l.Post(func() { l.Start(taskFunc(do)) }) }

// Loop is the task's.
func (t *Task) Loop() *Loop { return t.loop }

// Start begins a task. It is to be called on the loop's goroutine.
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

// run serves one after the other: a new coroutine would have to grow its stack
// again for every short connection.
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

// resume lets the task go on until it waits.
func (l *Loop) resume(t *Task) {
	l.current, l.streak = t, 0
	t.next()
	l.current = nil
}

// pause lets the loop go on. It can return before what the task waits for.
func (t *Task) pause() { t.yield(struct{}{}) }

// yieldTurn lets others go on once.
func (t *Task) yieldTurn() {
	t.loop.yielded = append(t.loop.yielded, t)
	t.pause()
}

// RunBlocking does something on a goroutine, which may wait for anything, and returns when
// that is done. Meanwhile the loop goes on with others, and the connections wait by
// the runtime's poller. A nil task is no task: what calls it is a goroutine.
func (t *Task) RunBlocking(do func(), with ...*Conn) {
	if t == nil || t.blocking {
		do()
		return
	}
	for _, c := range with {
		_ = c.flushPending() // who uses the connection sees that it failed
	}
	t.blocking, t.blockingDone = true, false
	for _, c := range with {
		c.blocking = true
	}
	go func() { // Away waits for it
		do()
		t.loop.Post(func() {
			t.blockingDone = true
			t.loop.resume(t)
		})
	}()
	for !t.blockingDone {
		t.pause()
	}
	for _, c := range with {
		c.returnToLoop(t.loop)
	}
	t.blocking = false
}
