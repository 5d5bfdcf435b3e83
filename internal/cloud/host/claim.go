//go:build linux

package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"aloft.dev/aloft/internal/cloud/filelock"
)

// Claim creates the state and run folders, and records in the run folder which state folder it
// belongs to. Until the returned file is closed or this process ends, RemoveAbandoned leaves the
// run folder alone: a daemon that starts has no other sign of life yet.
func (l Layout) Claim(ctx context.Context) (*os.File, error) {
	if err := os.MkdirAll(l.StateDir, 0o711); err != nil {
		return nil, fmt.Errorf("create %s: %w", l.StateDir, err)
	}
	for {
		dir, err := l.claimRunDir(ctx)
		if err != nil {
			return nil, fmt.Errorf("create %s: %w", l.RunDir, err)
		}
		if dir == nil {
			continue
		}
		if err := writeFile(l.owner(), []byte(l.StateDir+"\n")); err != nil {
			return nil, errors.Join(err, dir.Close())
		}
		return dir, nil
	}
}

// claimRunDir creates, opens and locks the run folder. It returns nil if another process removed
// the folder before it was locked.
func (l Layout) claimRunDir(ctx context.Context) (*os.File, error) {
	if err := os.MkdirAll(l.RunDir, 0o711); err != nil {
		return nil, err
	}
	dir, err := os.Open(l.RunDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil || l.Simulated { // RemoveAbandoned leaves simulated clouds alone
		return dir, err
	}
	if err := filelock.Lock(ctx, dir, nil); err != nil {
		return nil, err
	}
	locked, err := dir.Stat()
	if err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	if named, err := os.Stat(l.RunDir); err != nil || !os.SameFile(named, locked) {
		return nil, dir.Close()
	}
	return dir, nil
}

// endOfKilled is how long a killed process may keep its claim after its other traces are gone:
// the kernel closes files last.
const endOfKilled = time.Second

// unclaimed locks the run folder of a local cloud unless a process has claimed it. It returns
// nil if one has.
func unclaimed(ctx context.Context, layout Layout) (*os.File, error) {
	dir, err := os.Open(layout.RunDir)
	if err != nil {
		return nil, err
	}
	waiting, cancel := context.WithTimeout(ctx, endOfKilled)
	defer cancel()
	switch err := filelock.Lock(waiting, dir, nil); {
	case err == nil:
		return dir, nil
	case waiting.Err() != nil && ctx.Err() == nil:
		return nil, nil
	default:
		return nil, err
	}
}
