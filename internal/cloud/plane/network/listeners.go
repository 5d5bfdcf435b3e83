//go:build linux

package network

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
	"aloft.dev/aloft/internal/cloud/plane/linklocal"
)

// listeners holds the listener at the edge. Plane.Set opens and closes it, so that it exists when
// Set returns; Plane.Run serves it.
type listeners struct {
	changed chan struct{} // holds a value when Run must look for a new listener

	mu     sync.Mutex
	egress *egressListener
}

func newListeners() listeners { return listeners{changed: make(chan struct{}, 1)} }

func (s *listeners) notify() {
	select {
	case s.changed <- struct{}{}:
	default: // a notification is pending
	}
}

// claimNew returns the listener that was opened since the last call, which the caller must
// serve, or nil.
func (s *listeners) claimNew() *egressListener {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.egress == nil || s.egress.claimed {
		return nil
	}
	s.egress.claimed = true
	return s.egress
}

// openServices makes the link-local process serve a VPC. Its sockets exist afterwards.
func (r *router) openServices(ctx context.Context, vpc VPC, client *linklocal.Client) error {
	served := linklocal.Place{ID: vpc.ID, Namespace: r.cookie, IPv6: len(vpc.IPv6) > 0}
	addresses := []netip.Addr{}
	if vpc.DNSSupport {
		served.Resolver = firewall.VPCResolverAddress(vpc.CIDRs[0])
		addresses = append(addresses, firewall.ResolverAddress, served.Resolver)
		if served.IPv6 {
			addresses = append(addresses, firewall.ResolverAddress6)
		}
	}
	return client.Open(ctx, served, func() (sockets *linklocal.Sockets, err error) {
		err = inNamespace(r.path, func() error {
			sockets, err = listenForMachines(addresses, served.IPv6)
			return err
		})
		return sockets, err
	})
}

// openEndpoints makes the link-local process serve the network interfaces of the VPC's endpoints that
// are attached. Their sockets exist afterwards.
func (r *router) openEndpoints(ctx context.Context, vpc VPC, client *linklocal.Client) error {
	var problems error
	for _, i := range vpc.Interfaces {
		a, attached := r.attached[i.ID]
		if !i.ServesAPI || !attached {
			continue
		}
		// The sockets keep the namespace, so no other one gets its inode while they are open.
		place := linklocal.Place{ID: i.ID, Namespace: a.namespaceID.inode}
		err := client.Open(ctx, place, func() (*linklocal.Sockets, error) {
			sockets := &linklocal.Sockets{}
			return sockets, inNamespace(a.namespace, func() (err error) {
				sockets.Endpoint, err = net.ListenTCP("tcp4", tcpAddr(i.Private, securePort))
				return err
			})
		})
		if err != nil {
			problems = errors.Join(problems, fmt.Errorf("serve at interface %s: %w", i.ID, err))
		}
	}
	return problems
}

// securePort is the port of HTTPS, at which endpoints answer.
const securePort = 443

// listenForMachines opens the sockets of a VPC in the calling thread's network namespace, those
// of its resolver at the addresses, and with ipv6 those of IPv6.
func listenForMachines(resolvers []netip.Addr, ipv6 bool) (sockets *linklocal.Sockets, err error) {
	s := &linklocal.Sockets{}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if s.Metadata, s.API, err = listenAt(firewall.MetadataAddress); err != nil {
		return nil, err
	}
	if ipv6 {
		if s.Metadata6, s.API6, err = listenAt(firewall.MetadataAddress6); err != nil {
			return nil, err
		}
	}
	for _, addr := range resolvers {
		packets, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, 53)))
		if err != nil {
			return nil, fmt.Errorf("listen for the resolver: %w", err)
		}
		s.Packets = append(s.Packets, packets)
		if err := setQueueSize(packets); err != nil {
			return nil, fmt.Errorf("listen for the resolver: %w", err)
		}
		stream, err := net.ListenTCP("tcp", tcpAddr(addr, 53))
		if err != nil {
			return nil, fmt.Errorf("listen for the resolver: %w", err)
		}
		s.Streams = append(s.Streams, stream)
	}
	return s, nil
}

// listenAt opens the sockets of the metadata service and of the APIs at an address.
func listenAt(address netip.Addr) (metadata, api *net.TCPListener, err error) {
	if metadata, err = net.ListenTCP("tcp", tcpAddr(address, 80)); err != nil {
		return nil, nil, fmt.Errorf("listen for the metadata service: %w", err)
	}
	if api, err = net.ListenTCP("tcp", tcpAddr(address, firewall.APIPort)); err != nil {
		return metadata, nil, fmt.Errorf("listen for the APIs: %w", err)
	}
	return metadata, api, nil
}

// queueSize is the size of the queue of a resolver's socket, in bytes. A query takes up to a KiB of
// the double, which the kernel grants: the queue holds what the firewall lets eight machines send at
// once (firewall.Router). With the default size one of them would fill it, and keep others from
// asking.
const queueSize = 4 << 20

func setQueueSize(packets *net.UDPConn) error {
	raw, err := packets.SyscallConn()
	if err != nil {
		return err
	}
	var optErr error
	err = raw.Control(func(fd uintptr) {
		optErr = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, queueSize)
	})
	return cmp.Or(err, os.NewSyscallError("setsockopt", optErr))
}

func tcpAddr(addr netip.Addr, port uint16) *net.TCPAddr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr, port))
}
