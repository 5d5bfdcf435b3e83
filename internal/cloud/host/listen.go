//go:build linux

package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/loopback"
	"aloft.dev/aloft/internal/diag"
)

// otherAddress is a command that avoids a problem with the address of the APIs.
const otherAddress = "aloft local start --address 127.0.0.1:4600"

// Limits of the wait for a port that a process of the same program has.
const (
	inheritedPatience = 2 * time.Second
	inheritedPoll     = 20 * time.Millisecond
)

// tryListen returns an error if this process cannot listen on address, or if the kernel
// does not say who does, as it must for clients to trust the port.
//
// A process that a daemon starts has the daemon's sockets until it runs its own program. If the daemon is
// killed at that moment, the port is taken for a little longer than the daemon lives, and tryListen
// waits for its end.
func tryListen(address string) error {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	for began := time.Now(); errors.Is(err, syscall.EADDRINUSE) && time.Since(began) < inheritedPatience; {
		if heldByAnother(address) {
			break
		}
		time.Sleep(inheritedPoll)
		listener, err = (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	}
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

// heldByAnother reports whether the process that listens on address is this one, or runs another
// program. One that is ending runs none.
func heldByAnother(address string) bool {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return true
	}
	listener, err := loopback.FindListener(at)
	switch {
	case errors.Is(err, loopback.ErrNoSocket):
		return false
	case err != nil || listener.PID == os.Getpid():
		return true
	case listener.PID == 0:
		return listener.UID != os.Getuid()
	}
	own, err := os.Stat("/proc/self/exe")
	if err != nil {
		return true
	}
	other, err := os.Stat(fmt.Sprintf("/proc/%d/exe", listener.PID))
	return err == nil && !os.SameFile(own, other)
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
