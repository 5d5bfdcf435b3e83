//go:build linux

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

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/engine"
	"aloft.dev/aloft/internal/cloud/plane/balancer/keeper"
)

// maxConfig bounds the size of a configuration in bytes.
const maxConfig = 256 << 20

// Names of what the keeper remembers for the next balancer process.
const (
	configMemory   = "config"   // balancer.Config
	findingsMemory = "findings" // []engine.Finding
)

// server is the balancer process.
type server struct {
	engine *engine.Engine
	keeper *keeper.Remote
	log    *slog.Logger

	orphans net.Listener // where the next keeper connects if this one is killed
}

// runWorker runs the balancer process. Its arguments are the keeper's.
func runWorker(ctx context.Context, args []string, log *slog.Logger) error {
	runtime.GOMAXPROCS(loops(runtime.NumCPU()) + 1) // one more for what the loops do not serve
	if err := schedule(os.Getpid(), gathering); err != nil {
		log.Warn("requests cost more CPU than they need", "error", err)
	}
	signal.Ignore(unix.SIGHUP, unix.SIGINT, unix.SIGPIPE)
	ctx, stop := signal.NotifyContext(ctx, unix.SIGTERM)
	defer stop()
	retire := make(chan os.Signal, 1)
	signal.Notify(retire, unix.SIGUSR1)
	remote, control, err := inherited()
	if err != nil {
		return err
	}
	orphans, err := orphanListener()
	if err != nil {
		return err
	}
	if err := confine(args[1], args[2]); err != nil {
		return fmt.Errorf("give up privileges: %w", err)
	}
	e, err := engine.New(log, engine.Loops{Number: loops(runtime.NumCPU()), KeepCPU: true}, remote)
	if err != nil {
		return err
	}
	s := &server{engine: e, keeper: remote, log: log, orphans: orphans}
	s.resume()
	if err := remote.Ready(); err != nil {
		e.Close()
		return err
	}
	return s.run(ctx, control, retire)
}

// inherited returns what the keeper gave to this process.
func inherited() (*keeper.Remote, net.Listener, error) {
	file := os.NewFile(keeperFD, "keeper")
	defer func() { _ = file.Close() }()
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, nil, fmt.Errorf("connect to the keeper: %w", err)
	}
	unixConn, ok := conn.(*net.UnixConn)
	if !ok {
		return nil, nil, fmt.Errorf("connect to the keeper: it is a %T", conn)
	}
	socket := os.NewFile(controlFD, "control")
	defer func() { _ = socket.Close() }()
	control, err := fileListener(socket)
	return keeper.NewRemote(unixConn), control, err
}

// run serves the control socket until the process is told to stop, or another takes over.
func (s *server) run(told context.Context, control net.Listener, retire <-chan os.Signal) error {
	ctx, end := context.WithCancel(told)
	defer end()
	server := &http.Server{
		Handler:           s.routes(),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: headerTimeout,
	}
	var tasks sync.WaitGroup
	tasks.Go(func() {
		if err := server.Serve(control); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("serve the control socket", "error", err)
		}
	})
	tasks.Go(func() { s.rememberFindings(ctx) })
	orphaned := make(chan struct{})
	go func() { // ends with the process
		defer close(orphaned)
		_, _ = io.Copy(io.Discard, os.Stdin)
	}()
	s.log.Info("serving", "pid", os.Getpid())
	var err error
	select {
	case <-ctx.Done():
		s.engine.Close()
		err = server.Close()
	case <-retire:
		s.log.Info("another process has taken over", "pid", os.Getpid())
		err = server.Close()
		end() // the findings are the other's now
		s.retire(told)
	case <-orphaned:
		s.log.Error("the keeper has ended", "pid", os.Getpid())
		err = errors.Join(server.Close(), s.serveOrphaned(told)) // the daemon notices, and starts another
		s.retire(told)
	}
	end()
	tasks.Wait()
	return err
}

// retire finishes what clients have begun, at ports that another process has or may take.
func (s *server) retire(told context.Context) {
	_ = s.orphans.Close()
	if err := s.keeper.Release(); err != nil {
		s.log.Warn("release the listening sockets", "error", err)
	}
	s.engine.Retire(told)
}

// resume continues where the last balancer process ended.
func (s *server) resume() {
	var config balancer.Config
	var findings []engine.Finding
	if !s.recall(configMemory, &config) {
		return
	}
	if s.recall(findingsMemory, &findings) {
		s.engine.Resume(findings)
	}
	s.engine.Set(config)
}

// recall reads what the last process remembered. It reports whether there was something.
func (s *server) recall(name string, into any) bool {
	text, err := s.keeper.Recall(name)
	if err == nil && text != nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		s.log.Error("continue where the last balancer process ended", "what", name, "error", err)
	}
	return err == nil && text != nil
}

// remember remembers something for the next process.
func (s *server) remember(name string, what any) {
	text, err := json.Marshal(what)
	if err == nil {
		err = s.keeper.Remember(name, text)
	}
	if err != nil {
		s.log.Error("remember for the next balancer process", "what", name, "error", err)
	}
}

// rememberFindings remembers every change of the targets' health.
func (s *server) rememberFindings(ctx context.Context) {
	for {
		changed := s.engine.Changed()
		s.remember(findingsMemory, s.engine.Findings())
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// routes serves the control socket. The daemon may be gone before a response is written.
func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /config", s.configure)
	mux.HandleFunc("GET /status", s.followStatus)
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(s.engine.Counters())
	})
	mux.HandleFunc("GET /targets", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(s.engine.Targets())
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
	s.remember(configMemory, c) // first: the engine owns it afterwards
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
