package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
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
	loop.Post(func() { listen <- loop.WatchListener(l, func() {}) })
	for what, err := range map[string]error{"closing": l.Close(), "accepting": accept, "listening": <-listen} {
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if conn, err := net.Dial("tcp", l.Addr().String()); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("a client got %v, %v", conn, err)
	}
}

// dial connects with the loop, if there is one.
func dial(ctx context.Context, l *Loop, from string, to netip.AddrPort) (c *Conn, err error) {
	fd, err := NewSocket()
	if err != nil {
		return nil, err
	}
	serve(l, func() { c, err = Dial(ctx, l, fd, netip.MustParseAddr(from), to) })
	return c, err
}

func TestDialsEndWithAConnectionOrAReason(t *testing.T) {
	withAndWithout(t, func(t *testing.T, loop *Loop) {
		l := listening(t)
		c, err := dial(t.Context(), loop, "127.0.0.9", l.Addr())
		if err != nil {
			t.Fatal(err)
		}
		peer, err := l.Accept()
		if err != nil || peer.RemoteAddrPort().Addr().String() != "127.0.0.9" {
			t.Fatalf("from %v: %v", peer, err)
		}
		if _, err := peer.Write([]byte("hello")); err != nil {
			t.Error(err)
		}
		serve(loop, func() {
			if got, err := text(c); got != "hello" || err != nil {
				t.Errorf("%q %v", got, err)
			}
		})
		_, _ = c.Close(), peer.Close()
		nobody := l.Addr()
		_ = l.Close()
		if _, err := dial(t.Context(), loop, "127.0.0.1", nobody); !errors.Is(err, unix.ECONNREFUSED) {
			t.Errorf("where nobody listens: %v", err)
		}
		if _, err := dial(t.Context(), loop, "192.0.2.1", nobody); !errors.Is(err, unix.EADDRNOTAVAIL) {
			t.Errorf("from a foreign address: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := dial(ctx, loop, "127.0.0.1", crowded(t).Addr()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("where nobody answers: %v", err)
		}
	})
}

func TestADialWaitsForAnAnswerThatComesLater(t *testing.T) {
	withAndWithout(t, func(t *testing.T, loop *Loop) {
		l := crowded(t)
		var c *Conn
		var err error
		made := make(chan struct{})
		go func() {
			defer close(made)
			c, err = dial(t.Context(), loop, "127.0.0.1", l.Addr())
		}()
		for !asks(t, l.Addr()) {
			select {
			case <-made:
				t.Fatalf("it did not have to wait: %v, %v", c, err)
			case <-time.After(time.Millisecond):
			}
		}
		for one, err := l.Accept(); err == nil; one, err = l.Accept() {
			_ = one.Close()
		}
		<-made // the kernel asks again after a second
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

// asks tells whether somebody waits for the kernel to be answered from the address
// (proc_net(5): a state of 02 is SYN_SENT).
func asks(t *testing.T, from netip.AddrPort) bool {
	t.Helper()
	table, err := os.ReadFile("/proc/thread-self/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(table), fmt.Sprintf(":%04X 02 ", from.Port()))
}

// crowded is a listener at which no more clients can wait: the kernel does not
// answer them.
func crowded(t *testing.T) *Listener {
	t.Helper()
	l := listening(t)
	if err := unix.Listen(l.fd, 0); err != nil {
		t.Fatal(err)
	}
	for {
		conn, err := net.DialTimeout("tcp", l.Addr().String(), 100*time.Millisecond)
		if err != nil {
			return l
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
}
