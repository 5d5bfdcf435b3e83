// Package image keeps what machines start from: read-only layers, each a tree of
// files owned by the ids that machines see. The base layer is a Debian built here
// on first use; the others were captured from machines.
package image

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"golang.org/x/sys/unix"
)

// ErrNoLayer tells that there is no such layer.
var ErrNoLayer = errors.New("there is no such layer")

// Store keeps layers in a folder.
type Store struct{ dir string }

// Open opens the store in dir, which it makes.
func Open(dir string) (*Store, error) {
	s := &Store{dir: dir}
	for _, folder := range []string{s.layers(), s.newDirs(), s.trash()} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return nil, fmt.Errorf("open the image store: %w", err)
		}
	}
	// Launchers, who are nobody on the host, need not reach the layers.
	if err := os.Chmod(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the image store: %w", err)
	}
	return s, nil
}

func (s *Store) layers() string  { return filepath.Join(s.dir, "layers") }
func (s *Store) newDirs() string { return filepath.Join(s.dir, "rooms") }
func (s *Store) trash() string   { return filepath.Join(s.dir, "trash") }

var validLayer = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// Path is the folder of a layer.
func (s *Store) Path(layer string) string { return filepath.Join(s.layers(), layer) }

// Has tells whether the layer exists.
func (s *Store) Has(layer string) bool {
	info, err := os.Stat(s.Path(layer))
	return validLayer.MatchString(layer) && err == nil && info.IsDir()
}

// List returns the ids of all layers, sorted.
func (s *Store) List() ([]string, error) {
	entries, err := os.ReadDir(s.layers())
	if err != nil {
		return nil, fmt.Errorf("list layers: %w", err)
	}
	var found []string
	for _, entry := range entries {
		found = append(found, entry.Name())
	}
	return found, nil
}

// NewLayerID is an id that no layer has had.
func (s *Store) NewLayerID() string { return "layer-" + random() }

// NewDir makes an empty folder on the store's filesystem, to be filled and frozen.
// Rooms that were never frozen are deleted by Clean.
func (s *Store) NewDir() (string, error) {
	dir := filepath.Join(s.newDirs(), random())
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", fmt.Errorf("make room for a layer: %w", err)
	}
	return dir, nil
}

// Commit makes the tree of files in dir, which must be on the store's filesystem
// and which nobody writes to any more, the layer with the id. dir is gone then. It
// returns when the layer would survive a loss of power.
func (s *Store) Commit(ctx context.Context, dir, layer string) error {
	if !validLayer.MatchString(layer) {
		return fmt.Errorf("freeze %s: %q is no id of a layer", dir, layer)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("freeze layer %s: %w", layer, err)
	}
	if err := syncFilesystem(dir); err != nil {
		return fmt.Errorf("freeze layer %s: %w", layer, err)
	}
	if err := unix.Renameat2(unix.AT_FDCWD, dir, unix.AT_FDCWD, s.Path(layer), unix.RENAME_NOREPLACE); err != nil {
		return fmt.Errorf("freeze layer %s: %w", layer, err)
	}
	if err := syncFilesystem(s.layers()); err != nil {
		return fmt.Errorf("freeze layer %s: %w", layer, err)
	}
	return nil
}

func syncFilesystem(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return unix.Syncfs(int(f.Fd()))
}

// Remove deletes a layer that no machine stands on. It is out of sight at once;
// the files go in the time it takes, or with a later Clean when ctx ends first.
// Removing what is not there is no error.
func (s *Store) Remove(ctx context.Context, layer string) error {
	if !validLayer.MatchString(layer) {
		return fmt.Errorf("remove layer %q: %w", layer, ErrNoLayer)
	}
	grave := filepath.Join(s.trash(), layer+"."+random())
	err := os.Rename(s.Path(layer), grave)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove layer %s: %w", layer, err)
	}
	return removeAll(ctx, grave)
}

// Clean deletes what was left by interruptions: half-built layers, rooms never
// frozen, removed layers not wholly gone. Nothing may be building or capturing.
func (s *Store) Clean(ctx context.Context) error {
	for _, dir := range []string{s.newDirs(), s.trash()} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return fmt.Errorf("clean the image store: %w", err)
		}
		for _, entry := range entries {
			if err := removeAll(ctx, filepath.Join(dir, entry.Name())); err != nil {
				return fmt.Errorf("clean the image store: %w", err)
			}
		}
	}
	return nil
}

// removeAll deletes a tree, and stops at folders it has not begun when ctx ends.
func removeAll(ctx context.Context, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ENOTDIR) {
		return err
	}
	for _, entry := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
			return err
		}
	}
	return os.RemoveAll(dir)
}

// Size is what a layer's files take on the disk, in bytes; a file with several
// names counts once.
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
			total += stat.Blocks * 512
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

func random() string {
	var b [9]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}
