//go:build linux

package machine

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// Signals that make systemd as PID 1 power off and reboot (systemd(1), "Signals":
// SIGRTMIN+4 and SIGRTMIN+5; glibc's SIGRTMIN is 34).
const (
	powerOffSignal = unix.Signal(34 + 4)
	rebootSignal   = unix.Signal(34 + 5)
)

var errHungUp = errors.New("the daemon hung up")

// serve handles the daemon's connections until the launcher ends.
func (l *launcher) serve(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = conn.Close() }()
			l.handle(conn)
		}()
	}
}

// handle executes one request and writes its reply.
func (l *launcher) handle(conn net.Conn) {
	r, err := readRequest(conn)
	if err != nil {
		return
	}
	replies := json.NewEncoder(conn)
	gone := make(chan struct{}) // closed when the daemon hangs up
	go func() {
		defer close(gone)
		_, _ = conn.Read(make([]byte, 1))
	}()
	if r.Do == opWatch {
		l.watch(replies, gone)
		return
	}
	reply, err := l.execute(r, gone)
	if err != nil {
		reply.Error = err.Error()
	}
	_ = replies.Encode(reply) // a daemon that hung up asks again
}

// state returns the current report and a channel that is closed when it changes.
func (l *launcher) state() (report, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.report, l.changed
}

// watch sends the current report, and every later one, until the daemon hangs up.
func (l *launcher) watch(replies *json.Encoder, gone <-chan struct{}) {
	for {
		now, changed := l.state()
		if replies.Encode(now) != nil {
			return
		}
		select {
		case <-changed:
		case <-gone:
			return
		}
	}
}

func (l *launcher) execute(r request, gone <-chan struct{}) (report, error) {
	switch r.Do {
	case opReport:
		now, _ := l.state()
		return now, nil
	case opBoot:
		return l.boot(r.System, gone)
	case opHalt:
		return l.endSystem(opHalt, powerOffSignal, gone)
	case opKill:
		return l.endSystem(opKill, unix.SIGKILL, gone)
	case opReboot:
		return l.endSystem(opReboot, rebootSignal, gone)
	case opReset:
		return l.endSystem(opReset, unix.SIGKILL, gone)
	}
	return report{}, fmt.Errorf("unknown request %q", r.Do)
}

// boot starts the system unless it runs, and returns when it runs or has failed to start.
func (l *launcher) boot(s *system, gone <-chan struct{}) (report, error) {
	before, changed := l.state()
	if before.State == Running {
		return before, nil
	}
	select {
	case l.starts <- s:
	case <-changed: // another request started it first
	case <-gone:
		return before, errHungUp
	}
	select {
	case <-changed:
	case <-gone:
		return before, errHungUp
	}
	now, _ := l.state()
	if now.State == Exited {
		return now, errors.New(now.Detail)
	}
	return now, nil
}

// endSystem sends a signal to the system, and returns when the system has exited or, for
// opReboot and opReset, runs again.
func (l *launcher) endSystem(op operation, signal unix.Signal, gone <-chan struct{}) (report, error) {
	l.mu.Lock()
	before := l.report
	if before.State != Running {
		if op == opHalt || op == opKill {
			l.report.State, l.report.Exit, l.report.Detail = Prepared, "", ""
			before = l.report
			l.mu.Unlock()
			return before, nil
		}
		l.mu.Unlock()
		return before, fmt.Errorf("its state is %s", before.State)
	}
	l.ending = op
	err := unix.Kill(before.Init, signal)
	l.mu.Unlock()
	if err != nil {
		return before, fmt.Errorf("signal PID 1: %w", err)
	}
	for {
		now, changed := l.state()
		if now.State != Running || now.Boots != before.Boots {
			return now, nil
		}
		select {
		case <-changed:
		case <-gone:
			return now, errHungUp
		}
	}
}
