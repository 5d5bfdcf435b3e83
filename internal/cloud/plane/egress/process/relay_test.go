//go:build linux

package process

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// pair returns the two ends of a TCP connection.
func pair(t *testing.T) (near, far *net.TCPConn) {
	t.Helper()
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if near, err = net.DialTCP("tcp4", nil, l.Addr().(*net.TCPAddr)); err != nil {
		t.Fatal(err)
	}
	if far, err = l.AcceptTCP(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = near.Close(), far.Close() })
	return near, far
}

// relayed returns the outer ends of two connections that a server relays, and a channel that
// is closed when it no longer does.
func relayed(t *testing.T, idle time.Duration) (a, b *net.TCPConn, ended chan struct{}) {
	t.Helper()
	t.Cleanup(func() { goleak.VerifyNone(t) })
	s := newServer(1024, slog.New(slog.DiscardHandler))
	s.idle = idle
	a, innerA := pair(t)
	b, innerB := pair(t)
	ended = make(chan struct{})
	go func() {
		defer close(ended)
		s.relay(t.Context(), innerA, innerB)
		_, _ = innerA.Close(), innerB.Close()
	}()
	t.Cleanup(func() { _, _ = a.Close(), b.Close(); <-ended })
	return a, b, ended
}

func TestRelayCarriesBothDirectionsAndHalfCloses(t *testing.T) {
	a, b, ended := relayed(t, time.Minute)
	sent := make([]byte, 5<<20)
	_, _ = rand.Read(sent)
	for _, direction := range [][2]*net.TCPConn{{a, b}, {b, a}} {
		from, to := direction[0], direction[1]
		go func() {
			_, _ = from.Write(sent)
			_ = from.CloseWrite()
		}()
		got, err := io.ReadAll(to)
		if err != nil || !bytes.Equal(got, sent) {
			t.Fatalf("got %d bytes, %v; want the %d that were sent", len(got), err, len(sent))
		}
	}
	<-ended
}

func TestRelayPassesOnAReset(t *testing.T) {
	a, b, _ := relayed(t, time.Minute)
	_ = a.SetLinger(0)
	_ = a.Close()
	if _, err := b.Read(make([]byte, 1)); !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("got %v, want a reset", err)
	}
}

func TestQuietRelayEndsBothSides(t *testing.T) {
	for name, halfClosed := range map[string]bool{"open": false, "half closed": true} {
		t.Run(name, func(t *testing.T) {
			a, b, ended := relayed(t, 50*time.Millisecond)
			if halfClosed {
				_ = a.CloseWrite()
				if _, err := b.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
					t.Fatalf("got %v, want the end of the other side", err)
				}
			}
			<-ended
			if _, err := a.Read(make([]byte, 1)); !errors.Is(err, unix.ECONNRESET) {
				t.Errorf("one side: got %v, want a reset", err)
			}
			// After a half-close a reset makes writes fail with EPIPE (tcp_reset in Linux).
			if _, err := b.Write([]byte{1}); !errors.Is(err, unix.ECONNRESET) && !errors.Is(err, unix.EPIPE) {
				t.Errorf("other side: got %v, want a reset", err)
			}
		})
	}
}

func TestRelayEndsWhatIsNeverRead(t *testing.T) {
	a, _, ended := relayed(t, 50*time.Millisecond)
	_ = a.SetWriteDeadline(time.Now().Add(time.Minute))
	for {
		if _, err := a.Write(make([]byte, 1<<20)); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the relay holds what nobody reads")
			}
			break
		}
	}
	<-ended
}

func TestOneDirectionKeepsTheOtherOpen(t *testing.T) {
	const idle = time.Second // a busy host may stop this test for less
	a, b, ended := relayed(t, idle)
	tick := time.NewTicker(idle / 16)
	defer tick.Stop()
	for start := time.Now(); time.Since(start) < 3*idle; <-tick.C {
		if _, err := a.Write([]byte{1}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Write([]byte{2}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Read(make([]byte, 1)); err != nil {
		t.Fatalf("the direction that was quiet is closed: %v", err)
	}
	_, _ = a.Close(), b.Close()
	<-ended
}
