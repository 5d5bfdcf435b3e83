package socket

import "iter"

// Server serves something from its beginning to its end.
type Server interface{ Serve(t *Task) }

// Task is a coroutine of a loop. It waits for its connections as a goroutine would,
// and meanwhile the loop goes on with others. A change from one to the other costs
// a fraction of what the scheduler takes, and no system call.
type Task struct {
	loop *Loop
	job  Server
	out  bool // a goroutine works for it: see Away
	done bool // that has ended

	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool
}

// job is a function that is served.
type job func()

// Serve does it.
func (j job) Serve(*Task) { j() }

// Do has do done as a task, soon. Anybody may call it; false: the loop has ended.
func (l *Loop) Do(do func()) bool { return l.Post(func() { l.Serve(job(do)) }) }

// Loop is the task's.
func (t *Task) Loop() *Loop { return t.loop }

// Serve begins a task. It is to be called on the loop's goroutine.
func (l *Loop) Serve(s Server) {
	l.active++
	if last := len(l.idle) - 1; last >= 0 {
		t := l.idle[last]
		l.idle[last] = nil
		l.idle = l.idle[:last]
		t.job = s
		l.resume(t)
		return
	}
	t := &Task{loop: l, job: s}
	t.next, t.stop = iter.Pull(t.run)
	l.resume(t)
}

// run serves one after the other: a new coroutine would have to grow its stack
// again for every short connection.
func (t *Task) run(yield func(struct{}) bool) {
	t.yield = yield
	for t.job != nil {
		t.job.Serve(t)
		t.job = nil
		t.loop.active--
		if len(t.loop.idle) >= maxIdle {
			return
		}
		t.loop.idle = append(t.loop.idle, t)
		for t.job == nil {
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

// makeWay lets others go on once.
func (t *Task) makeWay() {
	t.loop.again = append(t.loop.again, t)
	t.pause()
}

// Away does something on a goroutine, which may wait for anything, and returns when
// that is done. Meanwhile the loop goes on with others, and the connections wait by
// the runtime's poller. A nil task is no task: what calls it is a goroutine.
func (t *Task) Away(do func(), with ...*Conn) {
	if t == nil || t.out {
		do()
		return
	}
	for _, c := range with {
		_ = c.settle() // who uses the connection sees that it failed
	}
	t.out, t.done = true, false
	for _, c := range with {
		c.away = true
	}
	go func() { // Away waits for it
		do()
		t.loop.Post(func() {
			t.done = true
			t.loop.resume(t)
		})
	}()
	for !t.done {
		t.pause()
	}
	for _, c := range with {
		c.home(t.loop)
	}
	t.out = false
}
