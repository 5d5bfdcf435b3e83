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

// What a process started with the launcher's arguments is to be.
const (
	roleLaunch = "launch" // a machine's launcher
	roleInit   = "init"   // its first process, before it turns into systemd
)

// RunLauncher is the process that Config.Launcher starts; args are the arguments
// that follow Config.Launcher's own. It returns the exit code. It must be called
// from main's goroutine before anything else of the program runs.
func RunLauncher(args []string) int {
	runtime.LockOSThread() // children die with the thread that started them; namespaces are a thread's
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
	ending  operation     // what the end of the present system was asked for
	changed chan struct{} // closed when now has changed
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
		self: self, console: c, cgroup: os.NewFile(fdMachine, "cgroup"), starts: make(chan *system),
		changed: make(chan struct{}),
		report:  report{PID: os.Getpid(), State: Prepared},
	}
	go l.serve(listener)
	for s := range l.starts { // the launcher ends by being killed with its machine
		l.run(s)
	}
	return nil
}

// run starts the system, and again each time it reboots, until it ends. It is the
// only one to start processes, on the thread whose end they would not survive.
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

// handleExit says what the end of the system means, and whether it is to start again.
// reboot(2), "Behavior inside PID namespaces", tells how the kernel tells.
func (l *launcher) handleExit(r *report, state *os.ProcessState, err error) (again bool) {
	asked := l.ending
	l.ending = ""
	var status syscall.WaitStatus
	if err == nil {
		status, _ = state.Sys().(syscall.WaitStatus)
	}
	switch {
	case asked == opHalt || asked == opKill:
		r.State = Prepared
		return false
	case asked == opReset || status.Signaled() && status.Signal() == unix.SIGHUP:
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

// startSystem starts PID 1 and returns when it has become systemd.
func (l *launcher) startSystem(s *system) (*os.Process, error) {
	input, err := json.Marshal(bootOrder{system: *s, Console: l.console.path})
	if err != nil {
		return nil, fmt.Errorf("describe the system: %w", err)
	}
	specIn, specOut, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("open a pipe: %w", err)
	}
	defer func() { _ = specIn.Close(); _ = specOut.Close() }()
	failIn, failOut, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("open a pipe: %w", err)
	}
	defer func() { _ = failIn.Close(); _ = failOut.Close() }()
	tty := l.console.terminal
	argv := append(append([]string(nil), l.self...), roleInit)
	child, err := os.StartProcess("/proc/self/exe", argv, &os.ProcAttr{
		Dir: "/", Env: []string{"GOMAXPROCS=1"},
		Files: []*os.File{tty, tty, tty, specIn, failOut, l.cgroup},
		Sys: &syscall.SysProcAttr{
			Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
			Setsid:     true, Setctty: true, Ctty: 0, Pdeathsig: syscall.SIGKILL,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("start PID 1: %w", err)
	}
	_ = specIn.Close()
	_ = failOut.Close()
	go func() { _, _ = specOut.Write(input); _ = specOut.Close() }()
	story, err := io.ReadAll(failIn) // ends when systemd takes over
	if err == nil && len(story) > 0 {
		err = errors.New(string(story))
	}
	if err != nil {
		_ = child.Kill()
		_, _ = child.Wait()
		return nil, fmt.Errorf("become systemd: %w", err)
	}
	return child, nil
}
