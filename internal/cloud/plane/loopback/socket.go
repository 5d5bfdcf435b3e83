//go:build linux

// Package loopback finds out whose the sockets on the host's loopback are. An address
// there says nothing: any user of the host can listen on a free port, and connect from
// any address of the loopback.
package loopback

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// ErrNoSocket is returned if no socket has the address.
var ErrNoSocket = errors.New("no socket has the address")

// socket is the kernel's description of a TCP socket.
type socket struct {
	state uint8 // unix.BPF_TCP_LISTEN and so on
	uid   int
	inode uint32 // 0: no process has it open
}

// Offsets and sizes of sock_diag(7)'s structures.
const (
	requestSize = 56 // of inet_diag_req_v2
	idOffset    = 8  // of inet_diag_sockid in the request
	answerSize  = 72 // of inet_diag_msg
	stateOffset = 1  // in the answer
	uidOffset   = 64
	inodeOffset = 68
)

// find returns the TCP socket at local that a segment from remote reaches: the one that is
// connected to it, or else one that listens (sock_diag(7), linux/net/ipv4/inet_diag.c,
// inet_diag_find_one_icsk).
func find(local, remote netip.AddrPort) (socket, error) {
	request := nl.NewNetlinkRequest(nl.SOCK_DIAG_BY_FAMILY, 0)
	query := make([]byte, requestSize)
	query[0], query[1] = unix.AF_INET, unix.IPPROTO_TCP
	if local.Addr().Is6() {
		query[0] = unix.AF_INET6
	}
	binary.NativeEndian.PutUint32(query[4:], 0xffffffff) // all states
	id := query[idOffset:]
	binary.BigEndian.PutUint16(id, local.Port())
	binary.BigEndian.PutUint16(id[2:], remote.Port())
	copy(id[4:20], local.Addr().AsSlice())
	copy(id[20:36], remote.Addr().AsSlice())
	for i := range 8 {
		id[40+i] = 0xff // INET_DIAG_NOCOOKIE
	}
	request.AddRawData(query)
	answers, err := request.Execute(unix.NETLINK_INET_DIAG, nl.SOCK_DIAG_BY_FAMILY)
	if errors.Is(err, unix.ENOENT) {
		return socket{}, fmt.Errorf("find the socket at %s: %w", local, ErrNoSocket)
	}
	if err != nil {
		return socket{}, fmt.Errorf("find the socket at %s: %w", local, err)
	}
	if len(answers) != 1 || len(answers[0]) < answerSize {
		return socket{}, fmt.Errorf("find the socket at %s: the kernel's answer has another form", local)
	}
	answer := answers[0]
	return socket{
		state: answer[stateOffset],
		uid:   int(binary.NativeEndian.Uint32(answer[uidOffset:])),
		inode: binary.NativeEndian.Uint32(answer[inodeOffset:]),
	}, nil
}

// addrPort returns a TCP address, with an IPv4 address as such.
func addrPort(a net.Addr) (netip.AddrPort, error) {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}, fmt.Errorf("%s is not a TCP address", a)
	}
	at := tcp.AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), nil
}
