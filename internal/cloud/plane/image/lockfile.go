//go:build linux

package image

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// lockFile waits until it holds the lock of the file at path, and returns a function that
// releases it.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("wait for another builder: %w", err)
	}
	locked := make(chan error, 1)
	go func() { locked <- unix.Flock(int(f.Fd()), unix.LOCK_EX) }()
	select {
	case err := <-locked:
		if err != nil {
			_ = f.Close()
			return nil, fmt.Errorf("wait for another builder: %w", err)
		}
		return func() { _ = f.Close() }, nil
	case <-ctx.Done():
		// flock cannot be interrupted: release the lock as soon as it is acquired.
		go func() { _ = <-locked; _ = f.Close() }()
		return nil, fmt.Errorf("wait for another builder: %w", ctx.Err())
	}
}
