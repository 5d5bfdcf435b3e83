//go:build linux

// Package linklocal describes the process that talks to machines at the link-local addresses of
// their VPC (the metadata service, the resolver and the APIs), and is its client. The process
// parses what machines send, without any privileges. It asks the daemon for what it cannot
// answer itself, in a protocol of small typed messages.
package linklocal

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
)

// Place says where machines find services: those of their VPC, or the APIs at the network interface of
// a VPC endpoint.
type Place struct {
	ID        string     // of the VPC or the network interface
	Namespace uint64     // of the VPC's router (SO_NETNS_COOKIE), or inode of the interface's
	Resolver  netip.Addr // of the VPC's own; zero: the VPC has no resolver
	IPv6      bool       // the VPC has IPv6: machines also find its services at addresses of that
}

// Sockets are the listening sockets of a place.
type Sockets struct {
	// Metadata and API are those of a VPC, with the resolver's.
	Metadata, API   *net.TCPListener
	Metadata6, API6 *net.TCPListener   // of IPv6; nil: the VPC has none
	Packets         []*net.UDPConn     // of the resolver
	Streams         []*net.TCPListener // of the resolver
	// Endpoint is the only one at a network interface.
	Endpoint *net.TCPListener
}

// first returns the sockets that exist at most once.
func (s *Sockets) first() []*net.TCPListener {
	if s.Endpoint != nil {
		return []*net.TCPListener{s.Endpoint}
	}
	first := []*net.TCPListener{s.Metadata, s.API}
	if s.Metadata6 != nil {
		first = append(first, s.Metadata6, s.API6)
	}
	return first
}

// Close closes the sockets that are open.
func (s *Sockets) Close() {
	for _, l := range append(s.first(), s.Streams...) {
		if l != nil {
			_ = l.Close()
		}
	}
	for _, p := range s.Packets {
		_ = p.Close()
	}
}

// Files returns copies of the descriptors, which the caller closes.
func (s *Sockets) Files() (files []*os.File, err error) {
	var sockets []interface{ File() (*os.File, error) }
	for _, l := range s.first() {
		sockets = append(sockets, l)
	}
	for i := range s.Packets {
		sockets = append(sockets, s.Packets[i], s.Streams[i])
	}
	for _, socket := range sockets {
		file, err := socket.File()
		if err != nil {
			for _, f := range files {
				_ = f.Close()
			}
			return nil, fmt.Errorf("copy a socket: %w", err)
		}
		files = append(files, file)
	}
	return files, nil
}

// OpenSockets returns the sockets of a place from files that Files has returned, in another process. The
// caller closes the files.
func OpenSockets(place Place, files []*os.File) (*Sockets, error) {
	s := &Sockets{}
	if len(files) == 1 {
		var err error
		if s.Endpoint, err = listenerOf(files[0]); err != nil {
			return nil, fmt.Errorf("open the socket of an endpoint: %w", err)
		}
		return s, nil
	}
	first := []**net.TCPListener{&s.Metadata, &s.API}
	if place.IPv6 {
		first = append(first, &s.Metadata6, &s.API6)
	}
	if len(files) < len(first) || len(files)%2 != 0 {
		return nil, fmt.Errorf("a VPC has %d sockets", len(files))
	}
	var err error
	for i, listener := range first {
		var problem error
		*listener, problem = listenerOf(files[i])
		err = errors.Join(err, problem)
	}
	for i := len(first); i < len(files) && err == nil; i += 2 {
		var packets net.PacketConn
		if packets, err = net.FilePacketConn(files[i]); err != nil {
			break
		}
		udp, ok := packets.(*net.UDPConn)
		if !ok {
			err = errors.Join(fmt.Errorf("a resolver's socket is a %T", packets), packets.Close())
			break
		}
		s.Packets = append(s.Packets, udp)
		var stream *net.TCPListener
		if stream, err = listenerOf(files[i+1]); err == nil {
			s.Streams = append(s.Streams, stream)
		}
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("open the sockets of a VPC: %w", err)
	}
	return s, nil
}

func listenerOf(file *os.File) (*net.TCPListener, error) {
	listener, err := net.FileListener(file)
	if err != nil {
		return nil, err
	}
	tcp, ok := listener.(*net.TCPListener)
	if !ok {
		return nil, errors.Join(fmt.Errorf("a listener is a %T", listener), listener.Close())
	}
	return tcp, nil
}
