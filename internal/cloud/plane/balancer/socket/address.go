//go:build linux

package socket

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Family is the kernel's number of a version of the Internet Protocol.
type Family int

// The families.
const (
	IPv4 Family = unix.AF_INET
	IPv6 Family = unix.AF_INET6
)

// FamilyOf returns the family of an address.
func FamilyOf(a netip.Addr) Family {
	if a.Is6() {
		return IPv6
	}
	return IPv4
}

func sockaddr(at netip.AddrPort) unix.Sockaddr {
	if at.Addr().Is6() {
		return &unix.SockaddrInet6{Port: int(at.Port()), Addr: at.Addr().As16()}
	}
	return &unix.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}
}

// addrPortOf returns an address that the kernel wrote. Of one of IPv4, it wrote the beginning.
func addrPortOf(at *unix.RawSockaddrInet6) netip.AddrPort {
	port := (*[2]byte)(unsafe.Pointer(&at.Port)) //nolint:gosec // it is in network byte order
	number := binary.BigEndian.Uint16(port[:])
	if at.Family == unix.AF_INET {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(at)) //nolint:gosec // see above
		return netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), number)
	}
	return netip.AddrPortFrom(netip.AddrFrom16(at.Addr), number)
}

// putPort sets the port of an address for the kernel, which wants it in network byte order.
func putPort(to *uint16, port uint16) {
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(to))[:], port) //nolint:gosec // it has two bytes
}
