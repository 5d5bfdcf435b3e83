//go:build linux && root

package network

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// benchmarkAt is where a machine of a benchmark listens.
var benchmarkAt = netip.MustParseAddrPort("10.0.2.10:3000")

// withRecordings runs a benchmark between machines in two subnets: first no flow log records their
// flows, then one does.
func withRecordings(b *testing.B, benchmark func(b *testing.B, from string, listener net.Listener)) {
	b.Helper()
	for _, recording := range []firewall.Recording{{}, {Accepted: true, Rejected: true}} {
		b.Run(fmt.Sprintf("recorded=%t", recording.Accepted), func(b *testing.B) {
			s := newSite(b)
			s.plane.flows = 0 // closed connections count for seconds
			from, to := s.machine("from"), s.machine("to")
			v := newVPC("v", eni("v", "10.0.1.10", from), eni("v", "10.0.2.10", to))
			v.Interfaces[0].Recording, v.Interfaces[1].Recording = recording, recording
			s.set(v)
			listener, err := ListenIn(to, benchmarkAt)
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = listener.Close() }()
			benchmark(b, from, listener)
		})
	}
}

// connect returns both ends of a connection.
func connect(b *testing.B, from string, listener net.Listener) (near, far net.Conn) {
	b.Helper()
	near, err := DialIn(b.Context(), from, benchmarkAt)
	if err != nil {
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
	withRecordings(b, func(b *testing.B, from string, listener net.Listener) {
		near, far := connect(b, from, listener)
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
	})
}

func BenchmarkRealThroughput(b *testing.B) {
	withRecordings(b, func(b *testing.B, from string, listener net.Listener) {
		near, far := connect(b, from, listener)
		serveUntilClosed(b, near, far, func() { _, _ = io.Copy(io.Discard, far) })
		chunk := make([]byte, 1<<20)
		b.SetBytes(int64(len(chunk)))
		for b.Loop() {
			if _, err := near.Write(chunk); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// Each connection is another flow. A machine has records of the first 8,192 of a minute.
func BenchmarkRealConnections(b *testing.B) {
	withRecordings(b, func(b *testing.B, from string, listener net.Listener) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, conn)
				_ = conn.Close()
			}
		}()
		err := inNamespace(from, func() error {
			for b.Loop() {
				conn, err := net.Dial("tcp4", benchmarkAt.String())
				if err != nil {
					return err
				}
				// A reset leaves the port free.
				_ = conn.(*net.TCPConn).SetLinger(0)
				_ = conn.Close()
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		_ = listener.Close()
		<-done
	})
}
