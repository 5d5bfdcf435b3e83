//go:build linux

package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"aloft.dev/aloft/internal/cloud/filelock"
)

// Exclusive makes sure that no other process starts, stops or deletes a local cloud until release
// is called, or this process ends. If another does, Exclusive calls waiting, and waits for it. A
// state folder that does not exist, or that this user may not open, needs no lock.
func Exclusive(ctx context.Context, layout Layout, waiting func()) (release func(), err error) {
	dir, err := os.Open(layout.StateDir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return func() {}, nil
	}
	if err == nil {
		err = filelock.Lock(ctx, dir, waiting)
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", layout.StateDir, err)
	}
	return func() { _ = dir.Close() }, nil
}
