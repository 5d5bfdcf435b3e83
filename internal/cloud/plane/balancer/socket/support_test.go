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

// running is a loop that runs until the test ends.
func running(t *testing.T) *Loop {
	t.Helper()
	l, stop, ended := start(t, false)
	t.Cleanup(func() { stop(); <-ended })
	return l
}

// start runs a loop until it is stopped, and has ended what it serves.
func start(t *testing.T, holdOn bool) (l *Loop, stop func(), ended <-chan struct{}) {
	t.Helper()
	l, err := NewLoop(holdOn)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() { defer close(over); l.Run(ctx) }()
	return l, stop, over
}

// listening is a listener at a free port.
func listening(t *testing.T) *Listener {
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

// pair is a connection that was accepted, on no loop yet, and its client.
func pair(t *testing.T) (*Conn, *net.TCPConn) {
	t.Helper()
	l := listening(t)
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	var c *Conn
	for err = unix.EAGAIN; errors.Is(err, unix.EAGAIN); { // connect(2) returns before accept(2) may
		c, err = l.Accept()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if c.RemoteAddr().String() != client.LocalAddr().String() || c.LocalAddr().String() != l.Addr().String() {
		t.Errorf("from %s to %s, want %s to %s", c.RemoteAddr(), c.LocalAddr(), client.LocalAddr(), l.Addr())
	}
	_ = client.SetDeadline(time.Now().Add(10 * time.Second))
	return c, client.(*net.TCPConn)
}

// work is what a task does.
type work func(*Task)

func (w work) Serve(t *Task) { w(t) }

// begin puts the connections on the loop and has them served there.
func begin(l *Loop, s Server, conns ...*Conn) {
	l.Post(func() {
		for _, c := range conns {
			c.Attach(l)
		}
		l.Start(s)
	})
}

// withAndWithout runs a test with a loop, and with none.
func withAndWithout(t *testing.T, test func(t *testing.T, l *Loop)) {
	t.Run("on a loop", func(t *testing.T) { test(t, running(t)) })
	t.Run("on a goroutine", func(t *testing.T) { test(t, nil) })
}

// serve does so and returns when do has. Without a loop it just does it.
func serve(l *Loop, do func(), conns ...*Conn) {
	if l == nil {
		do()
		return
	}
	done := make(chan struct{})
	begin(l, work(func(*Task) { do(); close(done) }), conns...)
	<-done
}

// text reads what there is, once there is something.
func text(c *Conn) (string, error) {
	buf := make([]byte, 4096)
	n, err := c.Read(buf)
	return string(buf[:n]), err
}

// read reads what there is, once there is something. A loop has then served for that,
// if it is not nil.
func read(c *Conn, p []byte, then Server) (int, error) {
	for {
		if err := c.WaitRead(then); err != nil {
			return 0, err
		}
		if n, err := c.TryRead(p); !errors.Is(err, ErrNotReady) {
			return n, err
		}
	}
}
