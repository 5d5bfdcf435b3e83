package socket

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Loop serves many connections on one goroutine: it waits for all of them at once
// (epoll(7)) and lets the task of each go on when there is something for it. Use
// NewLoop and Run.
type Loop struct {
	rawWait int // for how many milliseconds it keeps its processor while it waits
	epollFD int // epoll(7)
	wakeFD  int // eventfd(2), for those who want something of a loop that waits

	slots       []slot // by file descriptor; of one that is closed, until its number is used again
	generations uint32 // of slots, so that a late event is not taken for one of the next in the slot
	events      []unix.EpollEvent

	idle     []*Task // have nothing to do
	current  *Task   // goes on; nil: none does
	yielded  []*Task // have made way for others
	resuming []*Task // those of them whose turn it is
	streak   int     // how often current could have waited and need not
	active   int     // tasks that serve
	pipes    []pipe  // are empty

	batches   []*Batch // are not empty
	batchText []byte   // of their messages

	mu     sync.Mutex
	posted []func()
	woken  bool // the alarm, since posted was last empty
	closed bool // nothing more is taken
}

// slot is who hears of a file descriptor's events: a connection, or whoever is called.
type slot struct {
	generation uint32
	conn       *Conn
	callback   func()
}

const (
	maxEvents = 128 // that are fetched at once
	maxIdle   = 256 // tasks that are kept for later
	maxStreak = 64  // after so many, others have their turn
)

// shortWait is how long a wait is that the runtime need not know of. One that ends
// before the kernel's next tick (at most 10 ms, HZ in time(7)) has the processor's timer
// set for it and set back, which costs a twentieth in a virtual machine.
const shortWait = 50 * time.Millisecond

// NewLoop returns a loop that does not run yet. One that holds on does not tell Go's
// runtime when it waits for a short time. The runtime would take its processor away,
// and look after it fifty thousand times a second meanwhile, which costs a twentieth
// of what the loop does. Such loops need processors of their own (GOMAXPROCS).
func NewLoop(holdOn bool) (*Loop, error) {
	poll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	alarm, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		_ = unix.Close(poll)
		return nil, os.NewSyscallError("eventfd", err)
	}
	hold := 0
	if holdOn {
		hold = int(shortWait / time.Millisecond)
	}
	l := &Loop{
		rawWait:   hold,
		epollFD:   poll,
		wakeFD:    alarm,
		events:    make([]unix.EpollEvent, maxEvents),
		batchText: make([]byte, 0, maxText),
	}
	if err := l.add(alarm, unix.EPOLLIN, slot{callback: l.runPosted}); err != nil {
		_ = unix.Close(alarm)
		_ = unix.Close(poll)
		return nil, err
	}
	return l, nil
}

// Run serves until ctx has ended, and all that was begun or posted.
func (l *Loop) Run(ctx context.Context) {
	runtime.LockOSThread() // a loop that changes its thread with every preemption costs a fifth more
	defer runtime.UnlockOSThread()
	stop := context.AfterFunc(ctx, func() { l.Post(func() {}) })
	defer stop()
	defer l.close()
	for !l.finished(ctx) {
		events := l.events[:l.waitEvents()]
		for i := range events {
			l.markReady(&events[i])
		}
		for i := range events {
			l.dispatch(&events[i])
		}
		l.resuming, l.yielded = l.yielded, l.resuming[:0]
		for _, t := range l.resuming {
			l.resume(t)
		}
		l.flushBatches()
	}
}

// finished tells that there is nothing more to do, and lets nothing more come.
func (l *Loop) finished(ctx context.Context) bool {
	if ctx.Err() == nil || l.active > 0 {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = len(l.posted) == 0
	return l.closed
}

// waitEvents fetches what has happened. It waits for that when nobody wants to go on.
func (l *Loop) waitEvents() int {
	events, hold := uintptr(
		unsafe.Pointer(&l.events[0]),
	), 0 //nolint:gosec // the kernel writes there, and keeps no pointer
	if len(l.yielded) == 0 {
		hold = l.rawWait
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(l.epollFD), events, maxEvents, uintptr(hold), 0, 0)
	if (n == 0 || errno == unix.EINTR) && len(l.yielded) == 0 { // nothing came, or the runtime wants its processor back
		n, _, errno = unix.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(l.epollFD), events, maxEvents, ^uintptr(0), 0, 0)
	}
	if errno != 0 { // a signal, of the runtime's as a rule
		return 0
	}
	return int(n)
}

// markReady has the connection know what has happened. All are told before the first is
// served: so the processor fetches them from memory side by side.
func (l *Loop) markReady(e *unix.EpollEvent) {
	if s := &l.slots[e.Fd]; s.generation == uint32(e.Pad) && s.conn != nil {
		s.conn.ready |= e.Events & (readable | writable | readClosed)
	}
}

// dispatch lets those go on who wait for the event.
func (l *Loop) dispatch(e *unix.EpollEvent) {
	switch s := &l.slots[e.Fd]; {
	case s.generation != uint32(e.Pad): // of one that has been closed since
	case s.callback != nil:
		s.callback()
	default:
		s.conn.wake()
	}
}

// add lets the slot hear of the file descriptor's events.
func (l *Loop) add(fd int, events uint32, s slot) error {
	for fd >= len(l.slots) {
		l.slots = append(l.slots, make([]slot, max(64, len(l.slots)))...)
	}
	l.generations++
	s.generation = l.generations
	l.slots[fd] = s
	err := unix.EpollCtl(
		l.epollFD,
		unix.EPOLL_CTL_ADD,
		fd,
		&unix.EpollEvent{Events: events, Fd: int32(fd), Pad: int32(s.generation)},
	) //nolint:gosec // both fit
	if err != nil {
		return fmt.Errorf("watch a socket: %w", os.NewSyscallError("epoll_ctl", err))
	}
	return nil
}

// remove ends that, also for sockets that have a double: closing one would not.
func (l *Loop) remove(fd int) {
	_ = unix.EpollCtl(l.epollFD, unix.EPOLL_CTL_DEL, fd, nil) // it is there, or was never
}

// Post has do done on the loop's goroutine, soon. Anybody may call it; false: the
// loop has ended.
func (l *Loop) Post(do func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.posted = append(l.posted, do)
	if !l.woken {
		l.woken = true
		_, _ = unix.Write(l.wakeFD, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // cannot fail: it is far from its limit
	}
	return true
}

// runPosted does what was posted.
func (l *Loop) runPosted() {
	l.mu.Lock()
	posted := l.posted
	l.posted, l.woken = nil, false
	var count [8]byte
	_, _ = unix.Read(l.wakeFD, count[:])
	l.mu.Unlock()
	for _, do := range posted {
		do()
	}
}

// close frees what the loop holds.
func (l *Loop) close() {
	for _, t := range l.idle {
		t.stop()
	}
	for _, p := range l.pipes {
		p.close()
	}
	_ = unix.Close(l.wakeFD)
	_ = unix.Close(l.epollFD)
}
