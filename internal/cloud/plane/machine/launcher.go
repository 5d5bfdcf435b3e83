//go:build linux

package machine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Roles of a process started with Config.Launcher: the arguments that follow Launcher's own.
const (
	roleLaunch = "launch" // a machine's launcher
	roleInit   = "init"   // a machine's PID 1, before it executes systemd
)

// RunLauncher is the main function of the processes that Config.Launcher starts, and
// returns the exit code. args are the arguments after those of Config.Launcher. The program
// must call it from the main goroutine before it does anything else.
func RunLauncher(args []string) int {
	// Children die with the thread that started them, and namespaces belong to a thread.
	runtime.LockOSThread()
	var err error
	switch strings.Join(args, " ") {
	case roleLaunch:
		debug.SetGCPercent(20)
		err = launch(os.Args[:len(os.Args)-len(args)])
	case roleInit:
		err = runInit()
	default:
		err = fmt.Errorf("unknown role %q", args)
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "aloft launcher:", err)
		return 1
	}
	return 0
}

// launcher is the parent of a machine's PID 1.
type launcher struct {
	self    []string // argv that starts this program as launcher
	console *console
	cgroup  *os.File     // cgroup.procs of the machine's cgroup
	starts  chan *system // boot requests

	mu      sync.Mutex
	report  report
	ending  operation     // the request that ends the running system, if any
	changed chan struct{} // closed when report has changed
}

func launch(self []string) error {
	listener, err := net.FileListener(os.NewFile(fdControl, "control"))
	if err != nil {
		return fmt.Errorf("open the control socket: %w", err)
	}
	unix.CloseOnExec(fdControl)
	unix.CloseOnExec(fdConsole)
	unix.CloseOnExec(fdMachine)
	c, err := openConsole(os.NewFile(fdConsole, "console log"))
	if err != nil {
		return err
	}
	l := &launcher{
		self:    self,
		console: c,
		cgroup:  os.NewFile(fdMachine, "cgroup"),
		starts:  make(chan *system),
		changed: make(chan struct{}),
		report:  report{PID: os.Getpid(), State: Prepared},
	}
	go l.serve(listener)
	for s := range l.starts { // until the launcher is killed together with its machine
		l.run(s)
	}
	return nil
}

// run starts the system, and again after each reboot, until it exits for good. Only run
// starts processes, on the launcher's main thread: they would not survive another thread's
// end.
func (l *launcher) run(s *system) {
	for {
		child, err := l.startSystem(s)
		if err != nil {
			l.update(func(r *report) { r.State, r.Exit, r.Detail, r.Init = Exited, Crash, err.Error(), 0 })
			return
		}
		l.update(func(r *report) {
			r.State, r.Exit, r.Detail, r.Init = Running, "", "", child.Pid
			r.Boots++
		})
		state, err := child.Wait()
		again := false
		l.update(func(r *report) {
			again = l.handleExit(r, state, err)
			r.Init = 0
		})
		if !again {
			return
		}
	}
}

// handleExit updates the report after the system's exit and reports whether the system
// starts again. reboot(2), "Behavior inside PID namespaces", defines the signals by which
// the kernel reports a reboot (SIGHUP) and a power-off (SIGINT).
func (l *launcher) handleExit(r *report, state *os.ProcessState, err error) (again bool) {
	ending := l.ending
	l.ending = ""
	var status syscall.WaitStatus
	if err == nil {
		status, _ = state.Sys().(syscall.WaitStatus)
	}
	switch {
	case ending == opHalt || ending == opKill:
		r.State = Prepared
		return false
	case ending == opReset || status.Signaled() && status.Signal() == unix.SIGHUP:
		return true
	case status.Signaled() && status.Signal() == unix.SIGINT:
		r.State, r.Exit, r.Detail = Exited, PowerOff, "powered off from inside"
	default:
		r.State, r.Exit, r.Detail = Exited, Crash, fmt.Sprintf("init ended: %v", state)
	}
	return false
}

func (l *launcher) update(change func(*report)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.report)
	close(l.changed)
	l.changed = make(chan struct{})
}

// startSystem starts PID 1 and returns when it has executed systemd.
func (l *launcher) startSystem(s *system) (*os.Process, error) {
	order, err := json.Marshal(bootOrder{system: *s, Console: l.console.path})
	if err != nil {
		return nil, fmt.Errorf("encode the boot order: %w", err)
	}
	orderIn, orderOut, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("open a pipe: %w", err)
	}
	defer func() { _ = orderIn.Close(); _ = orderOut.Close() }()
	failIn, failOut, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("open a pipe: %w", err)
	}
	defer func() { _ = failIn.Close(); _ = failOut.Close() }()
	tty := l.console.tty
	argv := append(append([]string(nil), l.self...), roleInit)
	child, err := os.StartProcess("/proc/self/exe", argv, &os.ProcAttr{
		Dir: "/", Env: []string{"GOMAXPROCS=1"},
		Files: []*os.File{tty, tty, tty, orderIn, failOut, l.cgroup},
		Sys: &syscall.SysProcAttr{
			Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
			Setsid:     true, Setctty: true, Ctty: 0, Pdeathsig: syscall.SIGKILL,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("start PID 1: %w", err)
	}
	_ = orderIn.Close()
	_ = failOut.Close()
	go func() { _, _ = orderOut.Write(order); _ = orderOut.Close() }()
	failure, err := io.ReadAll(failIn) // ends when systemd is executed
	if err == nil && len(failure) > 0 {
		err = errors.New(string(failure))
	}
	if err != nil {
		_ = child.Kill()
		_, _ = child.Wait()
		return nil, fmt.Errorf("execute systemd: %w", err)
	}
	return child, nil
}
