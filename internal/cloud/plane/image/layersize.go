//go:build linux

package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Size returns the disk space that a layer's files use, in bytes. A file with several hard
// links counts once.
func (s *Store) Size(ctx context.Context, layer string) (int64, error) {
	type inode struct{ dev, ino uint64 }
	seen := map[inode]bool{}
	var total int64
	err := filepath.WalkDir(s.Path(layer), func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		var stat unix.Stat_t
		if err := unix.Lstat(path, &stat); err != nil {
			return err
		}
		if key := (inode{stat.Dev, stat.Ino}); stat.Nlink < 2 || !seen[key] {
			seen[key] = stat.Nlink > 1
			total += stat.Blocks * 512 // the unit of st_blocks: stat(2)
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("measure layer %s: %w", layer, ErrNoLayer)
	}
	if err != nil {
		return 0, fmt.Errorf("measure layer %s: %w", layer, err)
	}
	return total, nil
}
