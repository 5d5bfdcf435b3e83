//go:build linux

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

func TestClosedListenerRefusesClients(t *testing.T) {
	l, loop := newListener(t), runningLoop(t)
	if _, err := l.Accept(); !errors.Is(err, unix.EAGAIN) {
		t.Errorf("accept without clients: got error %v, want EAGAIN", err)
	}
	if _, err := Listen(l.Addr()); !errors.Is(err, unix.EADDRINUSE) {
		t.Errorf("listen at a used port: got error %v, want EADDRINUSE", err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	_, accept := l.Accept()
	listen := make(chan error, 1)
	loop.Post(func() { listen <- loop.WatchListener(l, func() {}) })
	for what, err := range map[string]error{"Close": l.Close(), "Accept": accept, "WatchListener": <-listen} {
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: got error %v, want net.ErrClosed", what, err)
		}
	}
	if conn, err := net.Dial("tcp", l.Addr().String()); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("dial a closed listener: %v, %v; want a refusal", conn, err)
	}
}

// dial connects on the loop, or on this goroutine if it is nil.
func dial(ctx context.Context, l *Loop, from string, to netip.AddrPort) (c *Conn, err error) {
	fd, err := NewSocket(IPv4)
	if err != nil {
		return nil, err
	}
	runOn(l, func() { c, err = Dial(ctx, l, fd, netip.MustParseAddr(from), to) })
	return c, err
}

func TestDial(t *testing.T) {
	onLoopAndGoroutine(t, func(t *testing.T, loop *Loop) {
		l := newListener(t)
		c, err := dial(t.Context(), loop, "127.0.0.9", l.Addr())
		if err != nil {
			t.Fatal(err)
		}
		peer, err := l.Accept()
		if err != nil || peer.RemoteAddrPort().Addr().String() != "127.0.0.9" {
			t.Fatalf("accepted from %v: %v", peer, err)
		}
		if _, err := peer.Write([]byte("hello")); err != nil {
			t.Error(err)
		}
		runOn(loop, func() {
			if got, err := readText(c); got != "hello" || err != nil {
				t.Errorf("read %q, %v", got, err)
			}
		})
		_, _ = c.Close(), peer.Close()
		closed := l.Addr()
		_ = l.Close()
		if _, err := dial(t.Context(), loop, "127.0.0.1", closed); !errors.Is(err, unix.ECONNREFUSED) {
			t.Errorf("dial a closed port: got error %v, want ECONNREFUSED", err)
		}
		if _, err := dial(t.Context(), loop, "192.0.2.1", closed); !errors.Is(err, unix.EADDRNOTAVAIL) {
			t.Errorf("dial from a foreign address: got error %v, want EADDRNOTAVAIL", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		full := newFullListener(t).Addr()
		if _, err := dial(ctx, loop, "127.0.0.1", full); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("dial a peer that does not answer: got error %v, want a deadline exceeded", err)
		}
	})
}

func TestDialWaitsForALateAnswer(t *testing.T) {
	onLoopAndGoroutine(t, func(t *testing.T, loop *Loop) {
		l := newFullListener(t)
		var c *Conn
		var err error
		dialed := make(chan struct{})
		go func() {
			defer close(dialed)
			c, err = dial(t.Context(), loop, "127.0.0.1", l.Addr())
		}()
		for !isConnecting(t, l.Addr()) {
			select {
			case <-dialed:
				t.Fatalf("dial did not have to wait: %v, %v", c, err)
			case <-time.After(time.Millisecond):
			}
		}
		for one, err := l.Accept(); err == nil; one, err = l.Accept() {
			_ = one.Close()
		}
		<-dialed // the kernel retries after a second
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

// isConnecting reports whether a connection to the address's port is in state SYN_SENT
// (proc_net(5): 02).
func isConnecting(t *testing.T, from netip.AddrPort) bool {
	t.Helper()
	table, err := os.ReadFile("/proc/thread-self/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(table), fmt.Sprintf(":%04X 02 ", from.Port()))
}

// newFullListener returns a listener with a full backlog: the kernel does not answer more
// clients.
func newFullListener(t *testing.T) *Listener {
	t.Helper()
	l := newListener(t)
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
