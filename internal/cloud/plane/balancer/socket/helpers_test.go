//go:build linux

package socket

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// runningLoop returns a loop that runs until the test ends.
func runningLoop(t *testing.T) *Loop {
	t.Helper()
	l, stop, ended := startLoop(t, false)
	t.Cleanup(func() { stop(); <-ended })
	return l
}

// startLoop runs a loop until stop is called and its tasks are done.
func startLoop(t *testing.T, keepCPU bool) (l *Loop, stop func(), ended <-chan struct{}) {
	t.Helper()
	l, err := NewLoop(keepCPU)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() { defer close(over); l.Run(ctx) }()
	return l, stop, over
}

// newListener listens at a free port.
func newListener(t *testing.T) *Listener {
	t.Helper()
	l, err := Listen(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	name, err := unix.Getsockname(l.fd)
	if err != nil {
		t.Fatal(err)
	}
	l.at = netip.AddrPortFrom(l.at.Addr(), uint16(name.(*unix.SockaddrInet4).Port))
	return l
}

// newPair returns an accepted connection, on no loop yet, and its client.
func newPair(t *testing.T) (*Conn, *net.TCPConn) {
	t.Helper()
	l := newListener(t)
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	var c *Conn
	for err = unix.EAGAIN; errors.Is(err, unix.EAGAIN); { // connect(2) may return before accept(2) can
		c, err = l.Accept()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if c.RemoteAddr().String() != client.LocalAddr().String() || c.LocalAddr().String() != l.Addr().String() {
		t.Errorf("from %s to %s, want %s to %s", c.RemoteAddr(), c.LocalAddr(), client.LocalAddr(), l.Addr())
	}
	_ = client.SetDeadline(time.Now().Add(time.Minute))
	return c, client.(*net.TCPConn)
}

// serverFunc is a Server that calls a function with its task.
type serverFunc func(*Task)

func (w serverFunc) Serve(t *Task) { w(t) }

// startServer puts the connections on the loop and starts s there.
func startServer(l *Loop, s Server, conns ...*Conn) {
	l.Post(func() {
		for _, c := range conns {
			c.Attach(l)
		}
		l.Start(s)
	})
}

// onLoopAndGoroutine runs a test with a loop and with none.
func onLoopAndGoroutine(t *testing.T, test func(t *testing.T, l *Loop)) {
	t.Run("on a loop", func(t *testing.T) { test(t, runningLoop(t)) })
	t.Run("on a goroutine", func(t *testing.T) { test(t, nil) })
}

// runOn runs do as a task of the loop, or calls it if the loop is nil, and returns when do has.
func runOn(l *Loop, do func(), conns ...*Conn) {
	if l == nil {
		do()
		return
	}
	done := make(chan struct{})
	startServer(l, serverFunc(func(*Task) { do(); close(done) }), conns...)
	<-done
}

// readText waits for bytes and reads those that have arrived.
func readText(c *Conn) (string, error) {
	buf := make([]byte, 4096)
	n, err := c.Read(buf)
	return string(buf[:n]), err
}

// readOrDefer waits for bytes and reads those that have arrived. If next is not nil, a loop serves
// it instead of waiting.
func readOrDefer(c *Conn, p []byte, next Server) (int, error) {
	for {
		if err := c.WaitRead(next); err != nil {
			return 0, err
		}
		if n, err := c.TryRead(p); !errors.Is(err, ErrNotReady) {
			return n, err
		}
	}
}
