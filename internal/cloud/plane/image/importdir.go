//go:build linux

package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/filetree"
)

// ErrNoImport is returned for an import that does not exist: its process has ended, or the
// local cloud has it already.
var ErrNoImport = errors.New("there is no such import")

// importDir is a directory that a process fills with the files of an import. The process
// holds its lock, so that Clean of another process leaves it alone.
type importDir struct {
	path string
	lock *os.File
}

var validImport = regexp.MustCompile(`^[0-9a-f]{18}$`)

func (s *Store) newImportDir() (*importDir, error) {
	for {
		path := filepath.Join(s.imports(), random())
		if err := os.Mkdir(path, 0o755); err != nil {
			return nil, fmt.Errorf("create a directory for an import: %w", err)
		}
		lock, err := lockDir(path)
		if err != nil {
			return nil, fmt.Errorf("create a directory for an import: %w", err)
		}
		if lock != nil {
			return &importDir{path, lock}, nil
		}
	}
}

// lockDir locks a directory. It returns nil if another process holds the lock or has
// deleted the directory.
func lockDir(path string) (*os.File, error) {
	dir, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(dir.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err != nil && !errors.Is(err, unix.EWOULDBLOCK) {
		_ = dir.Close()
		return nil, err
	}
	if _, gone := os.Stat(path); err != nil || gone != nil {
		_ = dir.Close()
		return nil, nil
	}
	return dir, nil
}

// close deletes the directory, unless it has become a layer.
func (d *importDir) close() error {
	return errors.Join(filetree.Remove(context.Background(), d.path), d.lock.Close())
}

// CommitImport moves the files of an import into the store as the layer with the given id.
func (s *Store) CommitImport(ctx context.Context, id, layer string) error {
	if !validImport.MatchString(id) {
		return fmt.Errorf("commit import %q: %w", id, ErrNoImport)
	}
	dir := filepath.Join(s.imports(), id)
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("commit import %s: %w", id, ErrNoImport)
	}
	return s.Commit(ctx, dir, layer)
}

// cleanImports deletes the imports whose processes have ended.
func (s *Store) cleanImports(ctx context.Context) error {
	entries, err := os.ReadDir(s.imports())
	if err != nil {
		return err
	}
	var problems error
	for _, entry := range entries {
		path := filepath.Join(s.imports(), entry.Name())
		lock, err := lockDir(path)
		problems = errors.Join(problems, err)
		if lock != nil {
			problems = errors.Join(problems, filetree.Remove(ctx, path), lock.Close())
		}
	}
	return problems
}
