//go:build linux

// Package volume keeps the content of EBS volumes, and of their snapshots, in files of the host.
// A file has the size of its volume, and takes the space of what was written.
package volume

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"aloft.dev/aloft/internal/cloud/durable"
)

// unfinished ends the names of files that are not complete.
const unfinished = ".new"

// Store is a folder of contents, each with the id of its volume or its snapshot. Two calls for
// the same id must not run at the same time.
type Store struct{ dir string }

// Open opens the folder dir, and creates it if it is missing. It deletes what was not completed.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the folder of volumes: %w", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"+unfinished))
	if err != nil {
		return nil, fmt.Errorf("open the folder of volumes: %w", err)
	}
	for _, path := range left {
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("open the folder of volumes: %w", err)
		}
	}
	return &Store{dir}, nil
}

// Path returns the path of a content's file.
func (s *Store) Path(id string) string { return filepath.Join(s.dir, id) }

// Create creates a content of a size in GiB: zeroes or, if from is not empty, a copy of another
// content that is not larger, and zeroes. When Create has returned, the content survives a loss
// of power. It changes nothing if the content exists.
func (s *Store) Create(ctx context.Context, id string, gib int, from string) error {
	if _, err := os.Lstat(s.Path(id)); err == nil {
		return nil
	}
	if err := s.create(ctx, s.Path(id)+unfinished, gib, from); err != nil {
		return fmt.Errorf("create %s: %w", id, errors.Join(err, removeFile(s.Path(id)+unfinished)))
	}
	if err := durable.Rename(s.Path(id)+unfinished, s.Path(id)); err != nil {
		return fmt.Errorf("create %s: %w", id, err)
	}
	return nil
}

func (s *Store) create(ctx context.Context, path string, gib int, from string) error {
	if from != "" {
		// cp leaves holes out, and shares blocks where the filesystem can.
		cp := exec.CommandContext(ctx, "cp", "--reflink=auto", "--sparse=always", s.Path(from), path)
		if out, err := cp.CombinedOutput(); err != nil {
			return fmt.Errorf("copy %s: %w: %s", from, err, out)
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o600), f.Truncate(int64(gib)<<30), f.Sync(), f.Close())
}

// Grow gives a content a larger size in GiB, with zeroes at its end.
func (s *Store) Grow(id string, gib int) error {
	f, err := os.OpenFile(s.Path(id), os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("grow %s: %w", id, err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err == nil && info.Size() < int64(gib)<<30 {
		err = errors.Join(f.Truncate(int64(gib)<<30), f.Sync())
	}
	if err != nil {
		return fmt.Errorf("grow %s: %w", id, err)
	}
	return nil
}

// Remove deletes a content. Removing one that is not there is no error.
func (s *Store) Remove(id string) error {
	if err := removeFile(s.Path(id)); err != nil {
		return fmt.Errorf("delete %s: %w", id, err)
	}
	return nil
}

func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// List returns the ids of all contents, sorted.
func (s *Store) List() ([]string, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("list volumes: %w", err)
	}
	var ids []string
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), unfinished) {
			ids = append(ids, entry.Name())
		}
	}
	return ids, nil
}
