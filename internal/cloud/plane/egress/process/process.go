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
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/companion"
	"aloft.dev/aloft/internal/cloud/plane/confinement"
	"aloft.dev/aloft/internal/cloud/plane/egress"
)

// userID is the user and group of the process. Like the ids of machines, which begin after
// it, it belongs to nobody else.
const userID = 0x0ffffffe

// Run runs the egress process and returns its exit code. Its one argument is the process's
// folder. It returns when it is told to stop (egress.Client.Stop or SIGTERM). The program
// that the client starts does nothing but call it.
func Run(args []string, log io.Writer) int {
	return companion.Run(companion.Role{
		Name: "egress",
		Confinement: confinement.Confinement{
			User: userID, Families: []uint32{unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK},
			Calls: []uint32{
				unix.SYS_BIND, unix.SYS_CONNECT, unix.SYS_ACCEPT4, unix.SYS_SHUTDOWN, // bind for netlink(7)
				unix.SYS_GETSOCKNAME, unix.SYS_GETPEERNAME, unix.SYS_GETSOCKOPT, unix.SYS_SETSOCKOPT,
				unix.SYS_SENDTO, unix.SYS_RECVFROM, unix.SYS_SENDMSG, unix.SYS_RECVMSG,
			},
		},
		New: func(files int, log *slog.Logger) companion.Answerer {
			return &control{server: newServer(files, log), log: log, listeners: map[bool]*net.TCPListener{}}
		},
	}, args, log)
}

// control answers requests.
type control struct {
	server *server
	log    *slog.Logger

	mu        sync.Mutex
	listeners map[bool]*net.TCPListener // by whether it is of IPv6
	serving   sync.WaitGroup
}

// Wait waits for the end of all connections.
func (c *control) Wait() { c.serving.Wait() }

// Answer answers the requests of a daemon until it leaves.
func (c *control) Answer(ctx context.Context, daemon *net.UnixConn) (stop bool) {
	for {
		var request egress.Request
		files, err := companion.Receive(daemon, &request)
		if err != nil {
			return false
		}
		answer := egress.Answer{Protocol: egress.Protocol, PID: os.Getpid()}
		var own []*os.File
		switch request.Op {
		case egress.OpAbout:
			own = c.listenerFiles()
		case egress.OpServe:
			if err := c.use(ctx, request.Reach, files); err != nil {
				answer.Error = err.Error()
			}
		case egress.OpStop:
		default:
			answer.Error = "there is no operation " + request.Op
		}
		err = companion.Send(daemon, answer, own...)
		companion.CloseAll(files)
		companion.CloseAll(own)
		if request.Op == egress.OpStop || err != nil {
			return request.Op == egress.OpStop
		}
	}
}

// listenerFiles returns copies of the listeners' descriptors.
func (c *control) listenerFiles() (files []*os.File) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, listener := range c.listeners {
		file, err := listener.File()
		if err != nil {
			c.log.Error("copy a listener", "error", err)
			continue
		}
		files = append(files, file)
	}
	return files
}

// use makes the server follow the reach, and serve the listeners in files unless it does so.
func (c *control) use(ctx context.Context, reach egress.Reach, files []*os.File) error {
	c.server.use(reach)
	for _, file := range files {
		if err := c.serve(ctx, file); err != nil {
			return err
		}
	}
	return nil
}

// serve makes the server serve a listener, unless it does so, instead of another one of the same
// family of addresses.
func (c *control) serve(ctx context.Context, file *os.File) error {
	opened, err := net.FileListener(file)
	if err != nil {
		return fmt.Errorf("open the listener: %w", err)
	}
	listener, ok := opened.(*net.TCPListener)
	if !ok {
		_ = opened.Close()
		return fmt.Errorf("the listener is a %T", opened)
	}
	ipv6 := listener.Addr().(*net.TCPAddr).AddrPort().Addr().Is6()
	c.mu.Lock()
	defer c.mu.Unlock()
	if served := c.listeners[ipv6]; served != nil {
		same, err := sameSocket(served, listener)
		if same || err != nil {
			return errors.Join(err, listener.Close())
		}
		_ = served.Close()
	}
	c.listeners[ipv6] = listener
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
