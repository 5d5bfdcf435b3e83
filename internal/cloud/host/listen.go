//go:build linux

package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"

	"aloft.dev/aloft/internal/diag"
)

// otherAddress is a command that avoids a problem with the address of the APIs.
const otherAddress = "aloft local start --address 127.0.0.1:4600"

// tryListen returns an error if this process cannot listen on address.
func tryListen(address string) error {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", address, err)
	}
	return listener.Close()
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
		d.Hint = "stop it (ss -ltnp names it), or choose another port: " + otherAddress
	}
	return d
}
