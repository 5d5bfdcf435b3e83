//go:build linux

package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/keeper"
)

// successor is a program that continues this process.
type successor struct {
	program *os.File
	argv    []string // without a role's argument
	args    []string // of the keeper
}

// inheritance holds what the keeper's process hands to the program that it becomes: its
// descriptors and its children stay.
type inheritance struct {
	Keeper  keeper.State `json:"keeper"`
	Lock    int          `json:"lock"`
	Control int          `json:"control"`
	Admin   int          `json:"admin"`
	Orphans int          `json:"orphans"` // 0: the program had none
	Workers []heir       `json:"workers"`
}

// heir is a balancer process of an inheritance.
type heir struct {
	PID    int `json:"pid"`
	Socket int `json:"socket"`
	Alive  int `json:"alive"`
}

// routes serves the keeper's socket, which only the daemon can reach.
func (s *supervisor) routes(stop func()) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /about", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(s.about())
	})
	mux.HandleFunc("POST /stop", func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).Flush()
		stop()
		<-make(chan struct{}) // runKeeper closes the connection at the very end
	})
	mux.HandleFunc("POST /succeed", s.succeed)
	return mux
}

func (s *supervisor) about() balancer.About {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := balancer.About{Protocol: balancer.Protocol, Program: s.program, Keeper: os.Getpid()}
	if last := len(s.workers) - 1; last >= 0 {
		a.PID = s.workers[last].pid
	}
	return a
}

// succeed makes this process continue as another program.
func (s *supervisor) succeed(w http.ResponseWriter, r *http.Request) {
	var by balancer.Successor
	if err := json.NewDecoder(r.Body).Decode(&by); err != nil || len(by.Command) == 0 {
		http.Error(w, fmt.Sprintf("read the successor: %v", err), http.StatusBadRequest)
		return
	}
	program, err := os.Open(by.Command[0])
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusAccepted)
	_ = http.NewResponseController(w).Flush()
	// The daemon has its answer and may be gone; that does not take the request back.
	select {
	case s.next <- successor{program, by.Command, by.Args}:
	case <-s.ended:
		_ = program.Close()
	}
}

// become continues this process as another program, which starts a balancer process of its
// own and retires the present one. It returns only if that fails.
func (s *supervisor) become(next successor) error {
	defer func() { _ = next.program.Close() }()
	s.mu.Lock()
	workers := slices.Clone(s.workers)
	s.mu.Unlock()
	left := inheritance{
		Lock: int(s.lock.Fd()), Control: int(s.control.Fd()), Admin: int(s.admin.Fd()),
		Orphans: int(s.orphans.Fd()),
	}
	for _, w := range workers { // a request that has been read must be answered
		_ = w.conn.SetReadDeadline(time.Unix(1, 0))
		<-w.served
		left.Workers = append(left.Workers, heir{w.pid, int(w.socket.Fd()), int(w.alive.Fd())})
	}
	left.Keeper = s.keeper.State()
	err := left.exec(next)
	for _, w := range workers {
		_ = w.conn.SetReadDeadline(time.Time{})
		s.serve(w)
	}
	return err
}

// exec runs the program in this process.
func (left inheritance) exec(next successor) error {
	text, err := json.Marshal(left)
	if err != nil {
		return err
	}
	state, err := unix.MemfdCreate("inheritance", 0)
	if err != nil {
		return os.NewSyscallError("memfd_create", err)
	}
	file := os.NewFile(uintptr(state), "inheritance")
	defer func() { _ = file.Close() }()
	if _, err := file.Write(text); err != nil {
		return err
	}
	argv := append(slices.Clone(next.argv), continueArgument, strconv.Itoa(state))
	if err = setInherited(left.fds(), true); err == nil {
		err = syscall.Exec(fmt.Sprintf("/proc/self/fd/%d", next.program.Fd()), append(argv, next.args...),
			syscall.Environ())
	}
	return errors.Join(err, setInherited(left.fds(), false))
}

// fds returns all descriptors of the inheritance.
func (left inheritance) fds() []int {
	fds := append(left.Keeper.FDs(), left.Lock, left.Control, left.Admin)
	if left.Orphans != 0 {
		fds = append(fds, left.Orphans)
	}
	for _, w := range left.Workers {
		fds = append(fds, w.Socket, w.Alive)
	}
	return fds
}

// setInherited sets whether the program that this process becomes has the descriptors.
func setInherited(fds []int, inherited bool) error {
	flags := unix.FD_CLOEXEC
	if inherited {
		flags = 0
	}
	for _, fd := range fds {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, flags); err != nil {
			return os.NewSyscallError("fcntl", err)
		}
	}
	return nil
}

// restore takes over what this process had as another program.
func (s *supervisor) restore(state string) error {
	fd, err := strconv.Atoi(state)
	if err != nil {
		return fmt.Errorf("take over from another program: %w", err)
	}
	file := os.NewFile(uintptr(fd), "inheritance")
	defer func() { _ = file.Close() }()
	var left inheritance
	if err := json.NewDecoder(io.NewSectionReader(file, 0, 1<<30)).Decode(&left); err != nil {
		return fmt.Errorf("take over from another program: %w", err)
	}
	if err := setInherited(left.fds(), false); err != nil {
		return fmt.Errorf("take over from another program: %w", err)
	}
	s.keeper.Restore(left.Keeper)
	s.lock = os.NewFile(uintptr(left.Lock), "lock")
	s.control, s.admin = os.NewFile(uintptr(left.Control), "control"), os.NewFile(uintptr(left.Admin), "keeper")
	if left.Orphans != 0 {
		s.orphans = os.NewFile(uintptr(left.Orphans), "orphans")
	} else if s.orphans, err = listenPrivately("unixpacket", balancer.OrphanSocketPath(s.dir())); err != nil {
		return err
	}
	for _, w := range left.Workers {
		process, err := os.FindProcess(w.PID)
		if err != nil {
			return fmt.Errorf("take over balancer process %d: %w", w.PID, err)
		}
		_, err = s.adopt(process, os.NewFile(uintptr(w.Socket), "keeper"), os.NewFile(uintptr(w.Alive), "alive"))
		if err != nil {
			return err
		}
	}
	return nil
}
