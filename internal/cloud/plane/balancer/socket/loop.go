//go:build linux

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

// Loop serves many connections on one goroutine. It waits for all of them at once
// (epoll(7)) and resumes the task of a connection that is ready. Create it with NewLoop
// and run it with Run.
type Loop struct {
	rawWait int // milliseconds of a wait that Go's runtime does not know of: see NewLoop
	epollFD int // epoll(7)
	wakeFD  int // eventfd(2), which ends a wait when something is posted

	slots       []slot // by file descriptor; a closed one's slot stays until the number is reused
	generations uint32 // of slots: the last one assigned
	events      []unix.EpollEvent

	idle     []*Task // waiting for a Server
	current  *Task   // the running one; nil: none
	yielded  []*Task // to be resumed in the next round
	resuming []*Task // yielded in the last round
	streak   int     // how often current found its connections ready since it was resumed
	active   int     // tasks with a Server, and servers waiting for a connection
	pipes    []pipe  // empty ones

	batches   []*Batch // the ones with messages
	batchText []byte   // of all messages

	mu     sync.Mutex
	posted []func()
	woken  bool // wakeFD is signaled
	closed bool // Post returns false
}

// slot receives the events of one file descriptor, for a connection or a callback.
type slot struct {
	generation uint32 // distinguishes late events of an earlier descriptor with the number
	conn       *Conn
	callback   func()
}

// NewLoop returns a loop that is not running yet.
//
// With keepCPU the loop does not tell Go's runtime of short waits. Otherwise the runtime
// takes the loop's processor away during each wait and checks on it fifty thousand times
// a second, which costs 5 % of the loop's work. Such loops need processors of their own
// (GOMAXPROCS).
func NewLoop(keepCPU bool) (*Loop, error) {
	epollFD, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	wakeFD, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		_ = unix.Close(epollFD)
		return nil, os.NewSyscallError("eventfd", err)
	}
	rawWait := 0
	if keepCPU {
		rawWait = int(shortWait / time.Millisecond)
	}
	l := &Loop{
		rawWait: rawWait, epollFD: epollFD, wakeFD: wakeFD,
		events: make([]unix.EpollEvent, maxEvents), batchText: make([]byte, 0, maxText),
	}
	if err := l.add(wakeFD, unix.EPOLLIN, slot{callback: l.runPosted}); err != nil {
		_ = unix.Close(wakeFD)
		_ = unix.Close(epollFD)
		return nil, err
	}
	return l, nil
}

// Run serves until ctx has ended and all tasks and posted functions are done.
func (l *Loop) Run(ctx context.Context) {
	runtime.LockOSThread() // changing threads with every preemption would cost 20 % more
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

// finished reports whether ctx has ended and nothing is left to do. If so, Post accepts
// nothing more.
func (l *Loop) finished(ctx context.Context) bool {
	if ctx.Err() == nil || l.active > 0 {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = len(l.posted) == 0
	return l.closed
}

// waitEvents fetches events into l.events and returns their number. It waits for the
// first one unless a task has yielded.
func (l *Loop) waitEvents() int {
	events := uintptr(unsafe.Pointer(&l.events[0])) //nolint:gosec // the kernel writes there, and keeps no pointer
	wait := 0
	if len(l.yielded) == 0 {
		wait = l.rawWait
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(l.epollFD), events, maxEvents, uintptr(wait), 0, 0)
	// Nothing came, or a signal: the runtime wants its processor back.
	if (n == 0 || errno == unix.EINTR) && len(l.yielded) == 0 {
		n, _, errno = unix.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(l.epollFD), events, maxEvents, ^uintptr(0), 0, 0)
	}
	if errno != 0 { // a signal, usually the runtime's
		return 0
	}
	return int(n)
}

// markReady records an event in its connection. Run marks all connections before it
// serves the first, so that the processor loads them from memory in parallel.
func (l *Loop) markReady(e *unix.EpollEvent) {
	if s := &l.slots[e.Fd]; s.generation == uint32(e.Pad) && s.conn != nil {
		s.conn.ready |= e.Events & (readable | writable | readClosed)
	}
}

// dispatch wakes the receiver of an event.
func (l *Loop) dispatch(e *unix.EpollEvent) {
	switch s := &l.slots[e.Fd]; {
	case s.generation != uint32(e.Pad): // of a descriptor closed since
	case s.callback != nil:
		s.callback()
	default:
		s.conn.wake()
	}
}

// add makes s receive the events of a file descriptor.
func (l *Loop) add(fd int, events uint32, s slot) error {
	for fd >= len(l.slots) {
		l.slots = append(l.slots, make([]slot, max(64, len(l.slots)))...)
	}
	l.generations++
	s.generation = l.generations
	l.slots[fd] = s
	event := &unix.EpollEvent{Events: events, Fd: int32(fd), Pad: int32(s.generation)} //nolint:gosec // both fit
	if err := unix.EpollCtl(l.epollFD, unix.EPOLL_CTL_ADD, fd, event); err != nil {
		return fmt.Errorf("watch a socket: %w", os.NewSyscallError("epoll_ctl", err))
	}
	return nil
}

// remove stops the events of a file descriptor. Closing it is not enough if a duplicate
// of it is open.
func (l *Loop) remove(fd int) {
	_ = unix.EpollCtl(l.epollFD, unix.EPOLL_CTL_DEL, fd, nil) // fails only if it was never added
}

// Post runs do on the loop's goroutine, soon. It may be called from any goroutine. It
// returns false if the loop has ended.
func (l *Loop) Post(do func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.posted = append(l.posted, do)
	if !l.woken {
		l.woken = true
		_, _ = unix.Write(l.wakeFD, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // cannot fail: the counter is far from its limit
	}
	return true
}

// runPosted runs the posted functions.
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

// close frees the loop's resources.
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
