//go:build root

package network

import (
	"io"
	"net"
	"net/netip"
	"testing"
)

// connectMachines gives the ends of a connection between machines of two subnets.
func connectMachines(b *testing.B) (near, far net.Conn) {
	b.Helper()
	s := openSite(b)
	from, to := s.machine("from"), s.machine("to")
	s.set(vpc("v", nic("v", "10.0.1.10", from), nic("v", "10.0.2.10", to)))
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

// serveUntilClosed runs do until the connection's ends are closed after the benchmark.
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
