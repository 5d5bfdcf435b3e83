//go:build linux

package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"aloft.dev/aloft/internal/cloud/plane/loopback"
	"aloft.dev/aloft/internal/diag"
)

// otherAddress is a command that avoids a problem with the address of the APIs.
const otherAddress = "aloft local start --address 127.0.0.1:4600"

// tryListen returns an error if this process cannot listen on address, or if the kernel
// does not say who does, as it must for clients to trust the port.
func tryListen(address string) error {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", address, err)
	}
	defer func() { _ = listener.Close() }()
	at, err := netip.ParseAddrPort(listener.Addr().String())
	if err != nil {
		return fmt.Errorf("listen on %s: %w", address, err)
	}
	if _, err := loopback.FindListener(at); err != nil {
		return fmt.Errorf("%w (is the kernel module tcp_diag missing?)", err)
	}
	return nil
}

// ListenProblem describes why the daemon cannot listen on address.
func ListenProblem(address string, err error) *diag.Diagnostic {
	d := &diag.Diagnostic{
		Where:   "port " + address,
		Summary: fmt.Sprintf("the local cloud cannot listen there: %v", err),
		Hint:    "choose another address on loopback: " + otherAddress,
		Cause:   err,
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		d.Summary = "another program listens there"
		if at, err := netip.ParseAddrPort(address); err == nil {
			if listener, err := loopback.FindListener(at); err == nil {
				d.Summary += ": " + listener.String()
			}
		}
		d.Hint = "stop it (ss -ltnp names it), or choose another port: " + otherAddress
	}
	return d
}
