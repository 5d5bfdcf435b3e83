//go:build linux

package image

import (
	"context"
	"fmt"
	"os"

	"aloft.dev/aloft/internal/cloud/filelock"
)

// lockFile waits until it holds the lock of the file at path, and returns a function that
// releases it.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = filelock.Lock(ctx, f, nil)
	}
	if err != nil {
		return nil, fmt.Errorf("wait for another builder: %w", err)
	}
	return func() { _ = f.Close() }, nil
}
