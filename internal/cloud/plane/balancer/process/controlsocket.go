//go:build linux

package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/filelock"
)

// endOfKilled is how long a killed keeper may have its lock after its sockets are closed: its
// threads end one after another.
const endOfKilled = time.Second

// acquireLock ensures that a folder has at most one keeper.
func acquireLock(ctx context.Context, path string) (*os.File, error) {
	lock, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the balancer's lock: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, endOfKilled)
	defer cancel()
	if err := filelock.Lock(ctx, lock, nil); err != nil {
		return nil, fmt.Errorf("lock %s: another balancer process runs: %w", path, err)
	}
	return lock, nil
}

// listenPrivately listens on a socket that only its owner can reach. It creates the
// socket under another name, so that nobody can connect before its mode is set.
func listenPrivately(network, path string) (*os.File, error) {
	hidden := path + ".new"
	for _, stale := range []string{hidden, path} { // from a killed process; this one has the lock
		if err := os.Remove(stale); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("remove a stale control socket: %w", err)
		}
	}
	listener, err := net.ListenUnix(network, &net.UnixAddr{Name: hidden, Net: network})
	if err != nil {
		return nil, fmt.Errorf("listen on the control socket: %w", err)
	}
	defer func() { _ = listener.Close() }()
	listener.SetUnlinkOnClose(false)
	if err := errors.Join(os.Chmod(hidden, 0o600), os.Rename(hidden, path)); err != nil {
		return nil, fmt.Errorf("make the control socket private: %w", err)
	}
	file, err := listener.File()
	if err != nil {
		return nil, fmt.Errorf("use the control socket: %w", err)
	}
	defer func() { _ = file.Close() }()
	// Of a File of package net, every call of Fd makes the socket blocking, for all
	// processes that have it.
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		return nil, fmt.Errorf("use the control socket: %w", err)
	}
	return os.NewFile(uintptr(fd), path), nil
}

// fileListener returns the listener of a listening socket.
func fileListener(of *os.File) (net.Listener, error) {
	l, err := net.FileListener(of)
	if err != nil {
		return nil, fmt.Errorf("use the control socket: %w", err)
	}
	return l, nil
}
