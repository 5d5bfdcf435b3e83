//go:build linux

// Package process is the egress process: it carries connections without any privileges.
package process

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
	"syscall"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/admission"
	"aloft.dev/aloft/internal/cloud/plane/confinement"
	"aloft.dev/aloft/internal/cloud/plane/egress"
)

// userID is the user and group of the process. Like the ids of machines, which begin after
// it, it belongs to nobody else.
const userID = 0x0ffffffe

// descriptors is the process's limit of open files, if the host allows it.
const descriptors = 1 << 15

// fdControl is the descriptor of the listening control socket, which the process inherits.
const fdControl = 3

// Run runs the egress process and returns its exit code. Its one argument is the process's
// folder. It returns when it is told to stop (egress.Client.Stop or SIGTERM). The program
// that the client starts does nothing but call it.
func Run(args []string, log io.Writer) int {
	logger := slog.New(slog.NewTextHandler(log, nil))
	if len(args) != 1 {
		logger.Error("the egress process takes one argument: its folder")
		return 2
	}
	if err := run(args[0], logger); err != nil {
		logger.Error("the egress process failed", "error", err)
		return 1
	}
	return 0
}

func run(dir string, log *slog.Logger) error {
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
	err = confinement.Confinement{
		User: userID, Root: egress.RootPath(dir), Families: []uint32{unix.AF_INET, unix.AF_NETLINK},
		Calls: []uint32{
			unix.SYS_BIND, unix.SYS_CONNECT, unix.SYS_ACCEPT4, unix.SYS_SHUTDOWN, // bind for netlink(7)
			unix.SYS_GETSOCKNAME, unix.SYS_GETPEERNAME, unix.SYS_GETSOCKOPT, unix.SYS_SETSOCKOPT,
			unix.SYS_SENDTO, unix.SYS_RECVFROM, unix.SYS_SENDMSG, unix.SYS_RECVMSG,
		},
	}.Enter()
	if err != nil {
		return fmt.Errorf("give up privileges: %w", err)
	}
	c := &control{server: newServer(files, log), log: log, stop: stop}
	return c.serve(ctx, listener)
}

// control serves the control socket.
type control struct {
	server *server
	log    *slog.Logger
	stop   func()

	mu       sync.Mutex
	listener *net.TCPListener
	serving  sync.WaitGroup
}

// serve serves requests until ctx ends, and ends all connections then.
func (c *control) serve(ctx context.Context, listener net.Listener) error {
	defer c.serving.Wait()
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
		client, ok := conn.(*net.UnixConn)
		if !ok {
			return fmt.Errorf("the control socket has connections of type %T", conn)
		}
		c.serving.Go(func() {
			done := context.AfterFunc(ctx, func() { _ = client.CloseRead() })
			defer done()
			if c.answer(ctx, client) {
				_ = client.Close()
			}
		})
	}
}

// answer answers the requests of a client until it leaves, and reports whether the
// connection may be closed now. That of a client that stops the process stays open to the
// end of the process, which tells the client that all is closed.
func (c *control) answer(ctx context.Context, client *net.UnixConn) (ended bool) {
	for {
		var request egress.Request
		file, err := egress.Receive(client, &request)
		if err != nil {
			return true
		}
		answer := egress.Answer{Protocol: egress.Protocol, PID: os.Getpid()}
		var own *os.File
		switch request.Op {
		case egress.OpAbout:
			own = c.listenerFile()
		case egress.OpServe:
			if err := c.use(ctx, request.Reach, file); err != nil {
				answer.Error = err.Error()
			}
		case egress.OpStop:
			_ = egress.Send(client, answer, nil)
			c.stop()
			return false
		default:
			answer.Error = "there is no operation " + request.Op
		}
		err = egress.Send(client, answer, own)
		for _, f := range []*os.File{file, own} {
			if f != nil {
				_ = f.Close()
			}
		}
		if err != nil {
			return true
		}
	}
}

// listenerFile returns a copy of the listener's descriptor, or nil.
func (c *control) listenerFile() *os.File {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.listener == nil {
		return nil
	}
	file, err := c.listener.File()
	if err != nil {
		c.log.Error("copy the listener", "error", err)
		return nil
	}
	return file
}

// use makes the server follow the reach, and serve the listener in file unless it does so or
// file is nil.
func (c *control) use(ctx context.Context, reach egress.Reach, file *os.File) error {
	c.server.use(reach)
	if file == nil {
		return nil
	}
	opened, err := net.FileListener(file)
	if err != nil {
		return fmt.Errorf("open the listener: %w", err)
	}
	listener, ok := opened.(*net.TCPListener)
	if !ok {
		_ = opened.Close()
		return fmt.Errorf("the listener is a %T", opened)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.listener != nil {
		same, err := sameSocket(c.listener, listener)
		if same || err != nil {
			return errors.Join(err, listener.Close())
		}
		_ = c.listener.Close()
	}
	c.listener = listener
	c.serving.Go(func() {
		if err := c.server.serve(ctx, listener); err != nil {
			c.log.Error("serve", "error", err)
		}
	})
	return nil
}

// sameSocket reports whether two descriptors are of one socket.
func sameSocket(a, b syscall.Conn) (bool, error) {
	var cookies [2]uint64
	for i, conn := range []syscall.Conn{a, b} {
		raw, err := conn.SyscallConn()
		if err != nil {
			return false, err
		}
		var optErr error
		err = raw.Control(func(fd uintptr) {
			cookies[i], optErr = unix.GetsockoptUint64(int(fd), unix.SOL_SOCKET, unix.SO_COOKIE)
		})
		if err := errors.Join(err, optErr); err != nil {
			return false, fmt.Errorf("read a socket's cookie: %w", err)
		}
	}
	return cookies[0] == cookies[1], nil
}
