//go:build linux

// Package companion starts, calls and keeps processes beside the daemon: this program in other
// roles, each with few privileges. They outlive the daemon, and the next one adopts them.
package companion

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Process is a companion as the daemon sees it. It serves requests at a control socket in its
// folder.
type Process struct {
	Name    string   // of the control socket, and in the log
	Dir     string   // private folder of the control socket
	Command []string // command line of a program that calls Run; Dir is appended
	Unshare uintptr  // namespaces of its own beside that of mounts (clone(2): CLONE_NEWNET …)
	Output  *os.File // its log; nil: none
	Log     *slog.Logger

	mu      sync.Mutex
	stopped bool
}

// The waits before another process follows one that has ended, and before yet another follows
// those that ended soon.
const (
	minRestartWait = 100 * time.Millisecond
	maxRestartWait = 30 * time.Second
)

// socketPath returns the path of the control socket.
func (p *Process) socketPath() string { return filepath.Join(p.Dir, p.Name+".sock") }

// rootPath returns the folder that becomes a companion's root directory.
func rootPath(dir string) string { return filepath.Join(dir, "root") }

// Keep makes a process run until ctx ends, or Stopping is called. follow starts it if it does not
// run, and returns when it has ended.
func (p *Process) Keep(ctx context.Context, follow func() error) {
	p.setStopped(false)
	for wait := minRestartWait; ; {
		start := time.Now()
		err := follow()
		p.mu.Lock()
		stopped := p.stopped
		p.mu.Unlock()
		if ctx.Err() != nil || stopped {
			return
		}
		p.Log.Error("a process ended; start another", "process", p.Name, "error", err)
		if time.Since(start) > maxRestartWait {
			wait = minRestartWait
		}
		timer := time.NewTimer(wait)
		wait = min(2*wait, maxRestartWait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// Stopping tells Keep that the process will end and needs no successor.
func (p *Process) Stopping() { p.setStopped(true) }

func (p *Process) setStopped(stopped bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = stopped
}

// Ask sends a request and files to the process, and receives its answer into answer, and files.
// The caller closes the connection and the files. Absent reports whether an error is that no
// process runs.
func (p *Process) Ask(
	ctx context.Context, request, answer any, files ...*os.File,
) (conn *net.UnixConn, received []*os.File, err error) {
	dialed, err := (&net.Dialer{}).DialContext(ctx, "unixpacket", p.socketPath())
	if err != nil {
		return nil, nil, fmt.Errorf("call the %s process: %w", p.Name, err)
	}
	conn = dialed.(*net.UnixConn)
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err = Send(conn, request, files...); err == nil {
		received, err = Receive(conn, answer)
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("call the %s process: %w", p.Name, err), conn.Close())
	}
	return conn, received, nil
}

// Absent reports whether a call failed because no process runs.
func Absent(err error) bool {
	return errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED)
}

// AwaitEnd waits until the process has closed the connection of a request that stops it, at its
// end, and closes the connection.
func AwaitEnd(ctx context.Context, conn *net.UnixConn) error {
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	_, _ = conn.Read(make([]byte, 1))
	return ctx.Err()
}

// Start starts a process. Its control socket exists when Start returns.
func (p *Process) Start() error {
	if err := p.start(); err != nil {
		return fmt.Errorf("start the %s process: %w", p.Name, err)
	}
	return nil
}

func (p *Process) start() error {
	if err := errors.Join(os.MkdirAll(p.Dir, 0o700), os.MkdirAll(rootPath(p.Dir), 0o755)); err != nil {
		return err
	}
	path := p.socketPath()
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	listener, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: path, Net: "unixpacket"})
	if err != nil {
		return err
	}
	listener.SetUnlinkOnClose(false)
	defer func() { _ = listener.Close() }()
	if err := os.Chmod(path, 0o600); err != nil {
		return err
	}
	control, err := listener.File()
	if err != nil {
		return err
	}
	defer func() { _ = control.Close() }()
	args := append(p.Command[1:len(p.Command):len(p.Command)], p.Dir)
	cmd := exec.Command(p.Command[0], args...)
	cmd.Env, cmd.Dir, cmd.ExtraFiles = []string{}, "/", []*os.File{control}
	if p.Output != nil {
		cmd.Stderr = p.Output
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if os.Geteuid() == 0 {
		// A mount namespace, so that it can have a root directory of its own.
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWNS | p.Unshare
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }() // reaps the process if it exits while this one runs
	p.Log.Info("started a process", "process", p.Name, "pid", cmd.Process.Pid)
	return nil
}
