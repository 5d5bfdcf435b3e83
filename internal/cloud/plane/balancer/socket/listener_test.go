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

func TestAListenerThatIsClosedRefuses(t *testing.T) {
	l, loop := listening(t), running(t)
	if _, err := l.Accept(); !errors.Is(err, unix.EAGAIN) {
		t.Errorf("with nobody there: %v", err)
	}
	if _, err := Listen(l.Addr()); !errors.Is(err, unix.EADDRINUSE) {
		t.Errorf("at a port that is taken: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	_, accept := l.Accept()
	listen := make(chan error, 1)
	loop.Post(func() { listen <- loop.Listen(l, func() {}) })
	for what, err := range map[string]error{"closing": l.Close(), "accepting": accept, "listening": <-listen} {
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if conn, err := net.Dial("tcp", l.Addr().String()); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("a client got %v, %v", conn, err)
	}
}

func TestDialsEndWithAConnectionOrAReason(t *testing.T) {
	l := listening(t)
	host := netip.MustParseAddr("127.0.0.1")
	dial := func(ctx context.Context, from netip.Addr, to netip.AddrPort) (*Conn, error) {
		fd, err := Make()
		if err != nil {
			t.Fatal(err)
		}
		return Dial(ctx, nil, fd, from, to)
	}
	c, err := dial(t.Context(), netip.MustParseAddr("127.0.0.9"), l.Addr())
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if got, err := l.Accept(); err != nil || got.Peer().Addr().String() != "127.0.0.9" {
		t.Errorf("from %v: %v", got, err)
	} else {
		_ = got.Close()
	}
	nobody := l.Addr()
	_ = l.Close()
	if _, err := dial(t.Context(), host, nobody); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("where nobody listens: %v", err)
	}
	if _, err := dial(t.Context(), netip.MustParseAddr("192.0.2.1"), nobody); !errors.Is(err, unix.EADDRNOTAVAIL) {
		t.Errorf("from a foreign address: %v", err)
	}
	full := crowded(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := dial(ctx, host, full); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("where nobody answers: %v", err)
	}
}

// crowded is a listener's address at which no more clients can wait: the kernel
// does not answer them.
func crowded(t *testing.T) netip.AddrPort {
	t.Helper()
	l := listening(t)
	if err := unix.Listen(l.fd, 0); err != nil {
		t.Fatal(err)
	}
	for range 2 { // one fits in, and it is looked at before the other is counted
		conn, err := net.DialTimeout("tcp", l.Addr().String(), 100*time.Millisecond)
		if err == nil {
			t.Cleanup(func() { _ = conn.Close() })
		}
	}
	return l.Addr()
}
