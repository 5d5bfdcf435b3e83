//go:build linux && root

package network

import (
	"io"
	"net"
	"net/netip"
	"testing"
)

// connectMachines returns both ends of a connection between machines in two subnets.
func connectMachines(b *testing.B) (near, far net.Conn) {
	b.Helper()
	s := newSite(b)
	from, to := s.machine("from"), s.machine("to")
	s.set(newVPC("v", eni("v", "10.0.1.10", from), eni("v", "10.0.2.10", to)))
	at := netip.MustParseAddrPort("10.0.2.10:3000")
	listener, err := ListenIn(to, at)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	if near, err = DialIn(b.Context(), from, at); err != nil {
		b.Fatal(err)
	}
	if far, err = listener.Accept(); err != nil {
		b.Fatal(err)
	}
	return near, far
}

// serveUntilClosed runs do, and closes the connection after the benchmark to end it.
func serveUntilClosed(b *testing.B, near, far net.Conn, do func()) {
	b.Helper()
	done := make(chan struct{})
	go func() { defer close(done); do() }()
	b.Cleanup(func() { _, _ = near.Close(), far.Close(); <-done })
}

func BenchmarkRealRoundTrip(b *testing.B) {
	near, far := connectMachines(b)
	serveUntilClosed(b, near, far, func() { _, _ = io.Copy(struct{ io.Writer }{far}, struct{ io.Reader }{far}) })
	one := make([]byte, 1)
	for b.Loop() {
		if _, err := near.Write(one); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(near, one); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRealThroughput(b *testing.B) {
	near, far := connectMachines(b)
	serveUntilClosed(b, near, far, func() { _, _ = io.Copy(io.Discard, far) })
	chunk := make([]byte, 1<<20)
	b.SetBytes(int64(len(chunk)))
	for b.Loop() {
		if _, err := near.Write(chunk); err != nil {
			b.Fatal(err)
		}
	}
}
