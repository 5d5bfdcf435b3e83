//go:build linux && root

package network

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// An interface with a rate carries its burst and what the baseline adds while it sends, in each
// direction, and its neighbour's carries more in the same time.
func TestRealInterfaceIsHeldToItsRate(t *testing.T) {
	const burst, baseline, window = 8 << 20, 1 << 20, 3 * time.Second
	s := newSite(t)
	limited, free, peer := s.machine("limited"), s.machine("free"), s.machine("peer")
	v := newVPC("v", eni("v", "10.0.1.10", limited), eni("v", "10.0.1.11", free), eni("v", "10.0.2.10", peer))
	v.Interfaces[0].Rate = firewall.Rate{Baseline: baseline, Burst: burst}
	s.set(v)
	for _, c := range []struct{ what, from, to, at string }{
		{"sends", limited, peer, "10.0.2.10:3000"}, {"receives", peer, limited, "10.0.1.10:3000"},
	} {
		received, took := s.transfer(c.from, c.to, c.at, 2*burst, window)
		if most := int64(burst + baseline*(took.Seconds()+1)); received > most {
			t.Errorf("it %s %d bytes in %v, want at most %d", c.what, received, took, most)
		}
		if received < burst/2 {
			t.Errorf("it %s %d bytes in %v, want most of its burst, %d", c.what, received, took, burst)
		}
	}
	if received, took := s.transfer(free, peer, "10.0.2.10:3000", 2*burst, time.Minute); received != 2*burst {
		t.Errorf("a neighbour sent %d bytes in %v, want %d", received, took, 2*burst)
	}
	s.inNamespaceOf(s.plane.routerPath("v"), "nft", "flush", "chain", "ip", nftTable, "sent-"+v.Interfaces[0].ID)
	if changes, err := s.plane.Audit(); err != nil || len(changes) != 1 {
		t.Errorf("the rate was removed: audit found %q, %v", changes, err)
	}
	s.set(v)
	if received, took := s.transfer(limited, peer, "10.0.2.10:3000", 2*burst, window); received == 2*burst {
		t.Errorf("after the repair it sent %d bytes in %v", received, took)
	}
}

// transfer sends up to size bytes from one machine to another over one connection, until the
// window ends, and returns how many arrived and how long that took.
func (s *site) transfer(from, to, at string, size int64, window time.Duration) (received int64, took time.Duration) {
	s.Helper()
	address := netip.MustParseAddrPort(at)
	listener, err := ListenIn(to, address)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	ctx, cancel := context.WithTimeout(s.Context(), time.Minute)
	defer cancel()
	near, err := DialIn(ctx, from, address)
	if err != nil {
		s.Fatal(err)
	}
	far, err := listener.Accept()
	if err != nil {
		s.Fatal(err)
	}
	start := time.Now()
	for _, c := range []net.Conn{near, far} {
		if err := c.SetDeadline(start.Add(window)); err != nil {
			s.Fatal(err)
		}
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.CopyN(near, zeros{}, size) // the deadline may end it
		_ = near.Close()
	}()
	received, err = io.Copy(io.Discard, far)
	took = time.Since(start)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		s.Error(err)
	}
	_ = far.Close()
	<-sent
	return received, took
}

// zeros is an endless reader.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
