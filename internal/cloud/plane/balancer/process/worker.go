//go:build linux

package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Descriptors of a balancer process. Its standard input ends when its keeper has ended.
const (
	keeperFD  = 3 // connected to the keeper
	controlFD = 4 // listening socket, for the daemon
	orphanFD  = 5 // listening socket, for the next keeper if this one is killed
)

// worker is a balancer process as its keeper sees it.
type worker struct {
	pid     int
	process *os.Process
	socket  *os.File // connected to the process
	conn    *net.UnixConn
	alive   *os.File      // the other end of its standard input
	served  chan struct{} // closed when its requests are no longer answered
	ended   chan struct{} // closed when the process has ended
	err     error         // why; valid when ended is closed
}

// startWorker starts a balancer process.
func (s *supervisor) startWorker() (*worker, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socketpair", err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "keeper"), os.NewFile(uintptr(pair[1]), "keeper")
	defer func() { _ = theirs.Close() }()
	input, alive, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, ours.Close())
	}
	defer func() { _ = input.Close() }()
	args := append(slices.Clone(s.self[1:]), workerArgument)
	cmd := exec.Command(s.self[0], append(args, s.args...)...) //nolint:gosec,noctx // our own program
	cmd.Stdin, cmd.Stderr, cmd.ExtraFiles = input, os.Stderr, []*os.File{theirs, s.control, s.orphans}
	cmd.Dir, cmd.SysProcAttr = "/", &syscall.SysProcAttr{}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Cloneflags = unix.CLONE_NEWNS | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS
	}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start the balancer process: %w", err), ours.Close(), alive.Close())
	}
	return s.adopt(cmd.Process, ours, alive)
}

// adopt serves and watches a balancer process that has been started.
func (s *supervisor) adopt(process *os.Process, socket, alive *os.File) (*worker, error) {
	conn, err := net.FileConn(socket)
	if err != nil {
		return nil, errors.Join(err, socket.Close(), alive.Close(), process.Kill())
	}
	w := &worker{
		pid: process.Pid, process: process, socket: socket, conn: conn.(*net.UnixConn), alive: alive,
		ended: make(chan struct{}),
	}
	s.mu.Lock()
	s.workers = append(s.workers, w)
	s.mu.Unlock()
	s.serve(w)
	go s.await(w)
	return w, nil
}

// serve answers the process's requests.
func (s *supervisor) serve(w *worker) {
	served := make(chan struct{})
	w.served = served
	go func() {
		defer close(served)
		if err := s.keeper.Serve(w.conn, func() { s.workerReady(w) }); err != nil {
			s.log.Error("serve the balancer process", "pid", w.pid, "error", err)
			w.signal(unix.SIGKILL)
		}
	}()
}

// workerReady retires the processes before the one that serves now.
func (s *supervisor) workerReady(ready *worker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.orphan != nil {
		_ = s.orphan.Close()
		s.orphan = nil
	}
	for _, w := range s.workers[:slices.Index(s.workers, ready)] {
		w.signal(unix.SIGUSR1)
	}
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// await waits until the process has ended, and adapts its scheduling class meanwhile.
func (s *supervisor) await(w *worker) {
	ctx, stop := context.WithCancel(context.Background())
	var tasks sync.WaitGroup
	tasks.Go(func() { s.adapt(ctx, w) })
	state, err := w.process.Wait()
	stop()
	tasks.Wait()
	if err == nil && !state.Success() {
		err = errors.New(state.String())
	}
	w.err = err
	s.mu.Lock()
	s.workers = slices.DeleteFunc(s.workers, func(other *worker) bool { return other == w })
	s.mu.Unlock()
	_, _, _ = w.conn.Close(), w.socket.Close(), w.alive.Close()
	close(w.ended)
}

// adapt adapts the scheduling class of the process until ctx ends.
func (s *supervisor) adapt(ctx context.Context, w *worker) {
	if err := adapt(ctx, w.pid, newRule(time.Now())); err != nil {
		s.log.Warn("neighbours that keep the processors busy slow requests down", "pid", w.pid, "error", err)
	}
}

// signal sends the process a signal, unless it has ended.
func (w *worker) signal(which unix.Signal) { _ = w.process.Signal(which) }
