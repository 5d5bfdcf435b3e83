//go:build linux

package keeper

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/balancer/socket"
)

// operation is the operation that a request asks the keeper to perform.
type operation string

const (
	find       operation = "find"
	listen     operation = "listen"
	forget     operation = "forget"
	connecting operation = "connecting"
	remember   operation = "remember"
	recall     operation = "recall"
	ready      operation = "ready"
)

// request is a request to the keeper. One of remember comes with a descriptor.
type request struct {
	Op        operation      `json:"op"`
	Namespace Namespace      `json:"namespace"`
	At        netip.AddrPort `json:"at"`
	Family    socket.Family  `json:"family"`
	N         int            `json:"n"`
	Name      string         `json:"name"`
}

// response is the keeper's response. The descriptors that were asked for come with it.
type response struct {
	Namespace Namespace `json:"namespace"`
	Error     string    `json:"error"`
}

const (
	maxMessage = 16 << 10 // bytes
	// maxDescriptors is how many descriptors one message carries (unix(7): SCM_MAX_FD, 253).
	maxDescriptors = 64
)

// send sends a message with descriptors.
func send(to *net.UnixConn, message any, fds []int) error {
	text, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if len(text) > maxMessage {
		return errors.New("the message is too long")
	}
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	_, _, err = to.WriteMsgUnix(text, rights, nil)
	return err
}

// receive receives a message and its descriptors, which the caller owns. The error is io.EOF
// if the peer has gone.
func receive(from *net.UnixConn, message any) (fds []int, err error) {
	text, rights := make([]byte, maxMessage), make([]byte, unix.CmsgSpace(maxDescriptors*4))
	n, m, _, _, err := from.ReadMsgUnix(text, rights)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, io.EOF
	}
	controls, err := unix.ParseSocketControlMessage(rights[:m])
	if err != nil {
		return nil, err
	}
	for i := range controls {
		more, err := unix.ParseUnixRights(&controls[i])
		if err != nil {
			continue // another kind of control message
		}
		fds = append(fds, more...)
	}
	if err := json.Unmarshal(text[:n], message); err != nil {
		closeAll(fds)
		return nil, fmt.Errorf("read a message: %w", err)
	}
	return fds, nil
}

func closeAll(fds []int) {
	for _, fd := range fds {
		_ = unix.Close(fd)
	}
}
