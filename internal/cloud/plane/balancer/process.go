package balancer

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
	"path/filepath"
	"runtime"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// protocol is the version of what daemon and process say to each other. A
// process that speaks another is stopped and started anew.
const protocol = 3

// maxConfig bounds what the process reads as one configuration.
const maxConfig = 256 << 20

func socketPath(dir string) string { return filepath.Join(dir, "balancer.sock") }
func lockPath(dir string) string   { return filepath.Join(dir, "balancer.lock") }
func logPath(dir string) string    { return filepath.Join(dir, "balancer.log") }

// RunProcess is the balancer process: it serves the control socket in the
// folder that is the one element of args, writes a line to ready when it does,
// and goes on until it is told to stop (Client.Stop or SIGTERM) or ctx ends. It
// returns the exit code. The program that the daemon starts calls it and does
// nothing else.
func RunProcess(ctx context.Context, args []string, ready, log io.Writer) int {
	logger := slog.New(slog.NewTextHandler(log, nil))
	if len(args) != 1 {
		logger.Error("the balancer process takes one argument: its folder")
		return 2
	}
	runtime.GOMAXPROCS(loops(runtime.NumCPU()) + 1) // the last for what loops do not serve
	if err := letOthersFinish(); err != nil {
		logger.Warn("requests cost more processor time than they need", "error", err)
	}
	if err := run(ctx, args[0], ready, logger); err != nil {
		logger.Error("the balancer ended", "error", err)
		return 1
	}
	return 0
}

// loops is how many serve connections on a host with so many processors: half as
// many. The other processors are for the machines that are balanced. With as many
// as there are, a request that wakes a target is answered on one of them before the
// next is read on the other, and every request costs a change of context on both
// sides; with half, requests gather. On a host with two, bench/balancer counted up
// to a third less CPU a request.
func loops(host int) int { return max(1, host/2) }

// letOthersFinish puts the process into the scheduling class SCHED_BATCH (sched(7)):
// when something arrives for it, it does not push aside what runs, but waits for
// its turn. So a target goes on with what it has, answers gather, and the balancer
// finds several at once. bench/balancer counts a fifth less CPU a request on a host
// with two processors. Threads inherit it from those that start them.
func letOthersFinish() error {
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_BATCH}
	set := map[string]bool{}
	for before := -1; len(set) > before; { // until none was started meanwhile
		before = len(set)
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return fmt.Errorf("list the threads: %w", err)
		}
		for _, thread := range threads {
			id, err := strconv.Atoi(thread.Name())
			if err != nil {
				return fmt.Errorf("list the threads: %w", err)
			}
			if err := unix.SchedSetAttr(id, &attr, 0); err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("set the scheduling class: %w", err)
			}
			set[thread.Name()] = true
		}
	}
	return nil
}

func run(ctx context.Context, dir string, ready io.Writer, log *slog.Logger) error {
	signal.Ignore(unix.SIGHUP, unix.SIGINT, unix.SIGPIPE) // it outlives terminal and daemon
	ctx, stop := signal.NotifyContext(ctx, unix.SIGTERM)
	defer stop()
	lock, err := takeLock(lockPath(dir))
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }()
	listener, err := listenPrivately(socketPath(dir))
	if err != nil {
		return err
	}
	engine, err := NewEngine(log, Loops{Number: loops(runtime.NumCPU()), HoldOn: true})
	if err != nil {
		return err
	}
	p := &process{engine: engine, stop: stop}
	server := &http.Server{
		Handler:           p.routes(),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: connectTimeout,
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("stopped serving the control socket", "error", err)
			stop()
		}
	})
	log.Info("ready", "pid", os.Getpid())
	if _, err := io.WriteString(ready, "ready\n"); err != nil {
		log.Warn("nobody waits for this process", "error", err)
	}
	<-ctx.Done()
	p.engine.Close()
	err = errors.Join(os.Remove(socketPath(dir)), lock.Close())
	err = errors.Join(err, server.Close()) // whoever asked to stop learns that it is done
	serving.Wait()
	return err
}

// takeLock makes sure that a folder has one balancer at most.
func takeLock(path string) (*os.File, error) {
	lock, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the balancer's lock: %w", err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: another balancer runs: %w", path, err), lock.Close())
	}
	return lock, nil
}

// listenPrivately listens at a socket that nobody but its owner can reach, not
// even before its mode is set: it is made under another name.
func listenPrivately(path string) (net.Listener, error) {
	hidden := path + ".new"
	for _, left := range []string{hidden, path} { // by a process that was killed; the lock is ours
		if err := os.Remove(left); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("remove the last balancer's socket: %w", err)
		}
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: hidden, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen at the control socket: %w", err)
	}
	listener.SetUnlinkOnClose(false)
	if err := errors.Join(os.Chmod(hidden, 0o600), os.Rename(hidden, path)); err != nil {
		return nil, errors.Join(fmt.Errorf("make the control socket private: %w", err), listener.Close())
	}
	return listener, nil
}

// process serves the control socket.
type process struct {
	engine *Engine
	stop   func()
}

// about tells who serves the socket.
type about struct {
	Protocol int `json:"protocol"`
	PID      int `json:"pid"`
}

func (p *process) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /about", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(about{protocol, os.Getpid()}) // the daemon may be gone
	})
	mux.HandleFunc("POST /stop", func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).Flush()
		p.stop()
		<-make(chan struct{}) // until the connection is closed, at the very end
	})
	mux.HandleFunc("PUT /config", p.configure)
	mux.HandleFunc("GET /status", p.report)
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(p.engine.Counters()) // the daemon may be gone
	})
	return mux
}

func (p *process) configure(w http.ResponseWriter, r *http.Request) {
	var c Config
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxConfig))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		http.Error(w, "read the configuration: "+err.Error(), http.StatusBadRequest)
		return
	}
	p.engine.Set(c)
	w.WriteHeader(http.StatusNoContent)
}

// report sends the status now and whenever it has changed, one JSON document a
// line, until the daemon goes.
func (p *process) report(w http.ResponseWriter, r *http.Request) {
	encoder := json.NewEncoder(w)
	flush := http.NewResponseController(w).Flush
	for {
		changed := p.engine.Changed()
		if encoder.Encode(p.engine.Status()) != nil || flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-changed:
		}
	}
}
