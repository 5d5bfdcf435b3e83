//go:build linux

package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/keeper"
)

const (
	// headerTimeout bounds how long a client of a control socket may take to send a
	// request's header.
	headerTimeout = 10 * time.Second

	// stopTimeout bounds how long a balancer process may take to end.
	stopTimeout = 10 * time.Second

	// A process that ends is started again at once. If it ends within soon, the next one
	// waits for restartDelay, and each after that for twice as long, up to maxRestartDelay.
	soon            = time.Second
	restartDelay    = 50 * time.Millisecond
	maxRestartDelay = 5 * time.Second
)

// supervisor is the keeper's process.
type supervisor struct {
	self    []string // command that runs this program
	args    []string // the keeper's
	program string   // balancer.Identify of this program
	log     *slog.Logger
	keeper  keeper.Keeper

	lock    *os.File
	control *os.File // listening socket of the balancer process
	admin   *os.File // listening socket of the keeper
	orphans *os.File // listening socket of balancer processes whose keeper was killed
	ready   chan struct{}
	next    chan successor
	ended   chan struct{} // closed when it no longer starts processes

	mu      sync.Mutex
	workers []*worker // the last one accepts connections, or will
	orphan  net.Conn  // to a killed keeper's balancer process, which serves until it is closed; nil: none
}

// newSupervisor returns the keeper for its arguments.
func newSupervisor(self, args []string, log *slog.Logger) *supervisor {
	return &supervisor{
		self: self, args: args, log: log, keeper: keeper.Keeper{Dir: args[0]},
		ready: make(chan struct{}, 1), next: make(chan successor), ended: make(chan struct{}),
	}
}

func (s *supervisor) logs() string { return s.args[1] }
func (s *supervisor) dir() string  { return s.args[2] }

// runKeeper runs the keeper. state is the descriptor of what an earlier program of this
// process has left; empty: there was none.
func runKeeper(ctx context.Context, s *supervisor, state string, ready io.Writer) (err error) {
	signal.Ignore(unix.SIGHUP, unix.SIGINT, unix.SIGPIPE) // the process outlives terminal and daemon
	ctx, stop := signal.NotifyContext(ctx, unix.SIGTERM)
	defer stop()
	if s.program, err = balancer.Identify(s.self[0]); err != nil {
		return err
	}
	raiseDescriptorLimit(s.log)
	if state == "" {
		err = s.open(ctx)
	} else {
		err = s.restore(state)
	}
	if err != nil {
		return err
	}
	if err := prepareFolders(s.logs(), s.dir()); err != nil {
		return err
	}
	go func() { defer close(s.ended); s.supervise(ctx) }()
	select {
	case <-s.ready:
	case <-s.ended: // it was told to stop before a balancer process served
	}
	admin, serving, err := s.serveAdmin(stop)
	if err != nil {
		stop()
		<-s.ended
		return err
	}
	s.log.Info("ready", "pid", os.Getpid())
	if state == "" {
		if _, err := io.WriteString(ready, balancer.ReadyLine); err != nil {
			s.log.Warn("the daemon no longer waits for this process", "error", err)
		}
	}
	<-s.ended
	err = errors.Join(s.keeper.Close(), os.Remove(balancer.SocketPath(s.dir())),
		os.Remove(balancer.KeeperSocketPath(s.dir())), os.Remove(balancer.OrphanSocketPath(s.dir())),
		s.control.Close(), s.admin.Close(), s.orphans.Close(), s.lock.Close())
	err = errors.Join(err, admin.Close()) // last: it tells the caller of /stop that all is closed
	<-serving
	return err
}

// open creates lock and sockets.
func (s *supervisor) open(ctx context.Context) (err error) {
	if s.lock, err = acquireLock(ctx, balancer.LockPath(s.dir())); err != nil {
		return err
	}
	s.inherit() // before its socket is replaced
	for _, socket := range []struct {
		to            **os.File
		network, path string
	}{
		{&s.control, "unix", balancer.SocketPath(s.dir())},
		{&s.admin, "unix", balancer.KeeperSocketPath(s.dir())},
		{&s.orphans, "unixpacket", balancer.OrphanSocketPath(s.dir())},
	} {
		if *socket.to, err = listenPrivately(socket.network, socket.path); err != nil {
			return err
		}
	}
	return nil
}

// raiseDescriptorLimit raises the limit of open files for the balancer process as far as the
// system allows (proc_sys_fs(5), nr_open).
func raiseDescriptorLimit(log *slog.Logger) {
	limit := unix.Rlimit{}
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		log.Warn("read the limit of open files", "error", err)
		return
	}
	for _, most := range []uint64{max(limit.Max, 1<<20), limit.Max} {
		if unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: most, Max: most}) == nil {
			return
		}
	}
}

// prepareFolders creates the folders that the balancer process needs.
func prepareFolders(logs, dir string) error {
	if err := os.MkdirAll(rootPath(dir), 0o700); err != nil {
		return fmt.Errorf("create the balancer's root: %w", err)
	}
	if logs == "" || os.Geteuid() != 0 {
		return nil
	}
	if err := os.MkdirAll(logs, 0o700); err != nil {
		return fmt.Errorf("create the folder of access logs: %w", err)
	}
	return filepath.WalkDir(logs, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, workerID, workerID)
	})
}

// supervise starts a balancer process, and another one whenever it ends, until ctx has ended
// and so have all processes.
func (s *supervisor) supervise(ctx context.Context) {
	delay := time.Duration(0)
	for ctx.Err() == nil {
		began := time.Now()
		w, err := s.startWorker()
		if err == nil {
			err = s.follow(ctx, w)
		}
		if ctx.Err() != nil {
			break
		}
		s.log.Warn("the balancer process ended; starting another", "error", err)
		if time.Since(began) >= soon {
			delay = 0
		}
		select {
		case <-ctx.Done():
		case <-time.After(delay):
		}
		delay = min(max(2*delay, restartDelay), maxRestartDelay)
	}
	s.stopWorkers()
}

// follow returns when the process or ctx has ended. Meanwhile this process may become
// another program.
func (s *supervisor) follow(ctx context.Context, w *worker) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.ended:
			return w.err
		case next := <-s.next:
			s.log.Error("continue as another program", "error", s.become(next))
		}
	}
}

// stopWorkers ends all balancer processes.
func (s *supervisor) stopWorkers() {
	s.mu.Lock()
	workers := append([]*worker{}, s.workers...)
	s.mu.Unlock()
	for _, w := range workers {
		w.signal(unix.SIGTERM)
	}
	late := time.After(stopTimeout)
	for _, w := range workers {
		select {
		case <-w.ended:
		case <-late:
			w.signal(unix.SIGKILL)
			<-w.ended
		}
	}
}

// serveAdmin serves the keeper's own socket.
func (s *supervisor) serveAdmin(stop func()) (*http.Server, <-chan struct{}, error) {
	listener, err := fileListener(s.admin)
	if err != nil {
		return nil, nil, err
	}
	server := &http.Server{Handler: s.routes(stop), ReadHeaderTimeout: headerTimeout}
	serving := make(chan struct{})
	go func() {
		defer close(serving)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("serve the keeper's socket", "error", err)
			stop()
		}
	}()
	return server, serving, nil
}
