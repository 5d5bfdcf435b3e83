//go:build linux

// Package process is the balancer process: it serves the engine's configuration,
// status and counters on a private control socket.
package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/engine"
)

// maxConfig bounds the size of a configuration in bytes.
const maxConfig = 256 << 20

// headerTimeout bounds how long a client of the control socket may take to send a
// request's header.
const headerTimeout = 10 * time.Second

// Run runs the balancer process and returns its exit code. Its one argument is the
// process's folder. Run writes a line to ready once it serves the control socket, and
// returns when it is told to stop (balancer.Client.Stop or SIGTERM) or ctx ends. The
// program that the daemon starts does nothing but call it.
func Run(ctx context.Context, args []string, ready, log io.Writer) int {
	logger := slog.New(slog.NewTextHandler(log, nil))
	if len(args) != 1 {
		logger.Error("the balancer process takes one argument: its folder")
		return 2
	}
	runtime.GOMAXPROCS(loops(runtime.NumCPU()) + 1) // one more for what the loops do not serve
	if err := scheduleAsBatch(); err != nil {
		logger.Warn("requests cost more CPU than they need", "error", err)
	}
	if err := run(ctx, args[0], ready, logger); err != nil {
		logger.Error("the balancer process failed", "error", err)
		return 1
	}
	return 0
}

func run(ctx context.Context, dir string, ready io.Writer, log *slog.Logger) error {
	signal.Ignore(unix.SIGHUP, unix.SIGINT, unix.SIGPIPE) // the process outlives terminal and daemon
	ctx, stop := signal.NotifyContext(ctx, unix.SIGTERM)
	defer stop()
	lock, err := acquireLock(balancer.LockPath(dir))
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }()
	listener, err := listenPrivately(balancer.SocketPath(dir))
	if err != nil {
		return err
	}
	e, err := engine.New(log, engine.Loops{Number: loops(runtime.NumCPU()), KeepCPU: true})
	if err != nil {
		return err
	}
	s := &server{engine: e, stop: stop}
	control := &http.Server{
		Handler:           s.routes(),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: headerTimeout,
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := control.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("serve the control socket", "error", err)
			stop()
		}
	})
	log.Info("ready", "pid", os.Getpid())
	if _, err := io.WriteString(ready, "ready\n"); err != nil {
		log.Warn("the daemon no longer waits for this process", "error", err)
	}
	<-ctx.Done()
	e.Close()
	err = errors.Join(os.Remove(balancer.SocketPath(dir)), lock.Close())
	err = errors.Join(err, control.Close()) // last: it tells the caller of /stop that all is closed
	serving.Wait()
	return err
}

// acquireLock ensures that a folder has at most one balancer process.
func acquireLock(path string) (*os.File, error) {
	lock, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the balancer's lock: %w", err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: another balancer process runs: %w", path, err), lock.Close())
	}
	return lock, nil
}

// listenPrivately listens on a socket that only its owner can reach. It creates the
// socket under another name, so that nobody can connect before its mode is set.
func listenPrivately(path string) (net.Listener, error) {
	hidden := path + ".new"
	for _, stale := range []string{hidden, path} { // from a killed process; this one has the lock
		if err := os.Remove(stale); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("remove a stale control socket: %w", err)
		}
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: hidden, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen on the control socket: %w", err)
	}
	listener.SetUnlinkOnClose(false)
	if err := errors.Join(os.Chmod(hidden, 0o600), os.Rename(hidden, path)); err != nil {
		return nil, errors.Join(fmt.Errorf("make the control socket private: %w", err), listener.Close())
	}
	return listener, nil
}

// server serves the control socket. The daemon may be gone before a response is
// written.
type server struct {
	engine *engine.Engine
	stop   func()
}

func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /about", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(balancer.About{Protocol: balancer.Protocol, PID: os.Getpid()})
	})
	mux.HandleFunc("POST /stop", func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).Flush()
		s.stop()
		<-make(chan struct{}) // run closes the connection at the very end
	})
	mux.HandleFunc("PUT /config", s.configure)
	mux.HandleFunc("GET /status", s.followStatus)
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(s.engine.Counters())
	})
	return mux
}

func (s *server) configure(w http.ResponseWriter, r *http.Request) {
	var c balancer.Config
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxConfig))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		http.Error(w, "read the configuration: "+err.Error(), http.StatusBadRequest)
		return
	}
	s.engine.Set(c)
	w.WriteHeader(http.StatusNoContent)
}

// followStatus sends the status now and after every change, one JSON document a line,
// until the client leaves.
func (s *server) followStatus(w http.ResponseWriter, r *http.Request) {
	encoder := json.NewEncoder(w)
	flush := http.NewResponseController(w).Flush
	for {
		changed := s.engine.Changed()
		if encoder.Encode(s.engine.Status()) != nil || flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-changed:
		}
	}
}
