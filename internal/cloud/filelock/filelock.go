//go:build linux

// Package filelock locks files and folders among processes (flock(2)).
package filelock

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Lock locks an open file or folder for this process alone, until f is closed. If another has it,
// Lock calls waiting, unless that is nil, and waits. If Lock returns an error, it closes f, maybe
// later: the kernel's wait cannot be interrupted.
func Lock(ctx context.Context, f *os.File, waiting func()) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return nil
	}
	if !errors.Is(err, unix.EWOULDBLOCK) {
		return errors.Join(err, f.Close())
	}
	if waiting != nil {
		waiting()
	}
	locked := make(chan error, 1)
	go func() { locked <- unix.Flock(int(f.Fd()), unix.LOCK_EX) }()
	select {
	case err := <-locked:
		if err != nil {
			return errors.Join(err, f.Close())
		}
		return nil
	case <-ctx.Done():
		go func() { _ = <-locked; _ = f.Close() }()
		return ctx.Err()
	}
}
