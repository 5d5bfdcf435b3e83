//go:build linux

package companion

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"sync"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/admission"
	"aloft.dev/aloft/internal/cloud/plane/confinement"
)

// descriptors is a companion's limit of open files, if the host allows it.
const descriptors = 1 << 15

// fdControl is the descriptor of the listening control socket, which a companion inherits.
const fdControl = 3

// Role is the task of a companion.
type Role struct {
	Name        string
	Confinement confinement.Confinement // Run sets Root
	// New returns what answers requests, after the process has given up its privileges. It may
	// open a number of files.
	New func(files int, log *slog.Logger) Answerer
}

// Answerer answers the requests of daemons.
type Answerer interface {
	// Answer answers the requests of one connection until the daemon leaves or ctx ends. If
	// it returns true, the process ends, and closes the connection as its last act.
	Answer(ctx context.Context, daemon *net.UnixConn) (stop bool)
	// Wait waits for everything that answers have started, which ends with ctx.
	Wait()
}

// Run runs a companion and returns its exit code. Its one argument is the process's folder. It
// returns when a request or SIGTERM stops it.
func Run(role Role, args []string, log io.Writer) int {
	logger := slog.New(slog.NewTextHandler(log, nil))
	if len(args) != 1 {
		logger.Error("a process takes one argument: its folder", "process", role.Name)
		return 2
	}
	if err := role.run(args[0], logger); err != nil {
		logger.Error("a process failed", "process", role.Name, "error", err)
		return 1
	}
	return 0
}

func (r Role) run(dir string, log *slog.Logger) error {
	signal.Ignore(unix.SIGHUP, unix.SIGINT, unix.SIGPIPE) // the process outlives terminal and daemon
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGTERM)
	defer stop()
	inherited := os.NewFile(fdControl, "control")
	listener, err := net.FileListener(inherited)
	if err != nil {
		return fmt.Errorf("open the control socket: %w", err)
	}
	_ = inherited.Close()
	limit := unix.Rlimit{Cur: descriptors, Max: descriptors}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		log.Debug("the host allows fewer open files", "error", err) // those of the hard limit
	}
	files, err := admission.Descriptors()
	if err != nil {
		return err
	}
	r.Confinement.Root = rootPath(dir)
	if err := r.Confinement.Enter(); err != nil {
		return fmt.Errorf("give up privileges: %w", err)
	}
	answerer := r.New(files, log)
	defer answerer.Wait()
	return serve(ctx, stop, listener, answerer)
}

// serve serves the control socket until ctx ends, or a request calls stop.
func serve(ctx context.Context, stop func(), listener net.Listener, answerer Answerer) error {
	var serving sync.WaitGroup
	defer serving.Wait()
	closing := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer closing()
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept requests: %w", err)
		}
		daemon, ok := conn.(*net.UnixConn)
		if !ok {
			return fmt.Errorf("the control socket has connections of type %T", conn)
		}
		serving.Go(func() {
			done := context.AfterFunc(ctx, func() { _ = daemon.CloseRead() })
			defer done()
			if answerer.Answer(ctx, daemon) {
				stop() // the end of the process closes the connection
				return
			}
			_ = daemon.Close()
		})
	}
}
