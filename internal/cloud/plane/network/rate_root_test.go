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

// The firewall counts packets whatever sent them. A limit at the machine's sockets, which these
// namespaces do not have, would let those of packet sockets and of forwarding pass.
func TestRealInterfaceIsHeldToItsPackets(t *testing.T) {
	const packets, flood = 200, 4000
	s := newSite(t)
	a, b := s.machine("a"), s.machine("b")
	v := newVPC("v", eni("v", "10.0.1.10", a), eni("v", "10.0.1.11", b))
	v.Interfaces[0].Rate = firewall.Rate{Baseline: 1 << 30, Burst: 1 << 30, Packets: packets}
	s.set(v)
	receivers := map[string]net.PacketConn{"10.0.1.10:9": nil, "10.0.1.11:9": nil}
	for at, namespace := range map[string]string{"10.0.1.10:9": a, "10.0.1.11:9": b} {
		if err := inNamespace(namespace, func() (err error) {
			receivers[at], err = net.ListenPacket("udp4", at)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = receivers[at].Close() }()
	}
	limited, took := s.flood(a, receivers["10.0.1.11:9"], flood)
	if most := packets/10 + int(packets*(took.Seconds()+1)); limited == 0 || limited > most {
		t.Errorf("%d packets arrived in %v, want at most %d, and some", limited, took, most)
	}
	if free, took := s.flood(b, receivers["10.0.1.10:9"], flood); free < flood/2 {
		t.Errorf("%d of %d packets that the other way has no limit for arrived in %v", free, flood, took)
	}
}

// flood sends n packets to a receiver, which reads them meanwhile, and returns how many arrived and
// how long that took.
func (s *site) flood(from string, receiver net.PacketConn, n int) (arrived int, took time.Duration) {
	s.Helper()
	start := time.Now()
	sent := make(chan error, 1)
	go func() {
		sent <- inNamespace(from, func() error {
			conn, err := net.Dial("udp4", receiver.LocalAddr().String())
			if err != nil {
				return err
			}
			defer func() { _ = conn.Close() }()
			for range n {
				if _, err := conn.Write(make([]byte, 8)); err != nil {
					return err
				}
			}
			return nil
		})
	}()
	for buffer := make([]byte, 16); ; arrived++ {
		if err := receiver.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			s.Fatal(err)
		}
		if _, _, err := receiver.ReadFrom(buffer); err != nil {
			break // nothing has come for a second
		}
	}
	took = time.Since(start)
	if err := <-sent; err != nil {
		s.Fatal(err)
	}
	return arrived, took
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
