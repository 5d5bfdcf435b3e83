//go:build linux && root

package production

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/thread"
)

// TCP's flags (RFC 9293, section 3.1), and the port that a scan sends from.
const (
	flagSYN, flagRST, flagACK = 0x02, 0x04, 0x10
	scannerPort               = 61000
)

const (
	scanRounds = 2                      // a packet may be lost
	scanBurst  = 512                    // SYNs between two pauses, so that no queue overflows
	scanPause  = 2 * time.Millisecond   // between two bursts
	scanQuiet  = 400 * time.Millisecond // without an answer, a round has ended
)

// scanner sends SYNs from a network namespace. Its packets leave through one device, and not
// by another route.
type scanner struct {
	packets *net.IPConn
	from    netip.Addr
}

// newScanner returns a scanner in the namespace at a path: "" for this process's own.
func newScanner(t *testing.T, namespace, device string) scanner {
	t.Helper()
	s := scanner{from: addressIn(t, namespace, device)}
	open := func() error {
		var problem error
		listen := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
			return c.Control(func(fd uintptr) {
				problem = errors.Join(unix.BindToDevice(int(fd), device),
					unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 16<<20))
			})
		}}
		conn, err := listen.ListenPacket(t.Context(), "ip4:tcp", s.from.String())
		if err != nil {
			return err
		}
		s.packets = conn.(*net.IPConn)
		return problem
	}
	if err := inNamespace(namespace, open); err != nil {
		t.Fatalf("scan from %s: %v", namespace, err)
	}
	t.Cleanup(func() { _ = s.packets.Close() })
	return s
}

// inNamespace calls do in the network namespace at a path: "" for this process's own.
func inNamespace(path string, do func() error) error {
	if path == "" {
		return do()
	}
	return thread.RunDisposable(func() error {
		namespace, err := netns.GetFromPath(path)
		if err != nil {
			return err
		}
		defer func() { _ = namespace.Close() }()
		if err := netns.Set(namespace); err != nil {
			return err
		}
		return do()
	})
}

// scan sends a SYN to each TCP port of an address, and returns the ports that accept
// connections and those that refuse them. All others are silent.
func (s scanner) scan(t *testing.T, to netip.Addr) (open, refused []uint16) {
	t.Helper()
	answers := map[uint16]byte{} // flags by port
	for range scanRounds {
		sent := make(chan error, 1)
		go func() { sent <- s.sendAll(to) }()
		err := s.receive(to, answers, sent)
		if err != nil {
			t.Fatalf("scan %s: %v", to, err)
		}
	}
	for _, port := range slices.Sorted(maps.Keys(answers)) {
		if answers[port]&flagRST != 0 {
			refused = append(refused, port)
		} else {
			open = append(open, port)
		}
	}
	return open, refused
}

// sendAll sends a SYN to each port.
func (s scanner) sendAll(to netip.Addr) error {
	pause := time.NewTicker(scanPause)
	defer pause.Stop()
	for port := 1; port <= 65535; port++ {
		if port%scanBurst == 0 {
			<-pause.C
		}
		_, err := s.packets.WriteTo(s.syn(to, uint16(port)), &net.IPAddr{IP: to.AsSlice()})
		if err != nil && !errors.Is(err, unix.ENOBUFS) && !errors.Is(err, unix.EPERM) {
			return err
		}
	}
	return nil
}

// receive reads answers until all SYNs are sent and no more come.
func (s scanner) receive(from netip.Addr, answers map[uint16]byte, sent <-chan error) error {
	segment := make([]byte, 2048)
	for done := false; ; {
		if err := s.packets.SetReadDeadline(time.Now().Add(scanQuiet)); err != nil {
			return err
		}
		n, source, err := s.packets.ReadFromIP(segment)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			if done {
				return nil
			}
			if err := <-sent; err != nil {
				return err
			}
			done = true
		case err != nil:
			return err
		case n >= 20 && source.IP.Equal(from.AsSlice()) && binary.BigEndian.Uint16(segment[2:]) == scannerPort:
			if flags := segment[13]; flags&(flagRST|flagSYN) != 0 {
				answers[binary.BigEndian.Uint16(segment)] = flags
			}
		}
	}
}

// syn returns a TCP segment that asks for a connection.
func (s scanner) syn(to netip.Addr, port uint16) []byte {
	segment := make([]byte, 20)
	binary.BigEndian.PutUint16(segment[0:], scannerPort)
	binary.BigEndian.PutUint16(segment[2:], port)
	binary.BigEndian.PutUint32(segment[4:], 1)
	segment[12], segment[13] = 5<<4, flagSYN
	binary.BigEndian.PutUint16(segment[14:], 1024)
	binary.BigEndian.PutUint16(segment[16:], s.checksum(to, segment))
	return segment
}

// checksum is TCP's, over the segment and the pseudo-header.
func (s scanner) checksum(to netip.Addr, segment []byte) uint16 {
	pseudo := slices.Concat(s.from.AsSlice(), to.AsSlice(), []byte{0, unix.IPPROTO_TCP, 0, byte(len(segment))}, segment)
	sum := uint32(0)
	for i := 0; i < len(pseudo); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(pseudo[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// addressIn returns the first IPv4 address of a device in a namespace.
func addressIn(t *testing.T, namespace, device string) (address netip.Addr) {
	t.Helper()
	err := inNamespace(namespace, func() error {
		link, err := net.InterfaceByName(device)
		if err != nil {
			return err
		}
		addresses, err := link.Addrs()
		if err != nil {
			return err
		}
		for _, a := range addresses {
			if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr().Is4() {
				address = prefix.Addr()
				return nil
			}
		}
		return fmt.Errorf("%s has no address", device)
	})
	if err != nil {
		t.Fatal(err)
	}
	return address
}
