//go:build linux

// Package image stores the read-only layers that machines boot from. A layer is a tree of
// files owned by the user and group ids that machines see, in a directory or on the disk of
// a machine (package disk). The package builds base layers on first use (see Bases) and
// unpacks imported ones; all other layers are captured from machines.
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
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/filetree"
)

// ErrNoLayer is returned for a layer that does not exist.
var ErrNoLayer = errors.New("there is no such layer")

// Store keeps layers in a directory.
type Store struct {
	// Mirrors are used to build base images. Set it before the first call of EnsureBase.
	Mirrors Mirrors

	dir string
}

// Open opens the store in dir, creating it if necessary.
func Open(dir string) (*Store, error) {
	s := &Store{dir: dir}
	for _, dir := range []string{s.layers(), s.uncommitted(), s.imports(), s.trash()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("open the image store: %w", err)
		}
	}
	// Launchers, which run as nobody on the host, need no access to the layers.
	if err := os.Chmod(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the image store: %w", err)
	}
	return s, nil
}

func (s *Store) layers() string      { return filepath.Join(s.dir, "layers") }
func (s *Store) uncommitted() string { return filepath.Join(s.dir, "rooms") }
func (s *Store) imports() string     { return filepath.Join(s.dir, "imports") }
func (s *Store) trash() string       { return filepath.Join(s.dir, "trash") }

var validLayer = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// Path returns the path of a layer: a directory, or a machine's disk.
func (s *Store) Path(layer string) string { return filepath.Join(s.layers(), layer) }

// Has reports whether the layer exists.
func (s *Store) Has(layer string) bool {
	_, err := os.Lstat(s.Path(layer))
	return validLayer.MatchString(layer) && err == nil
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

// captured begins the ids of all layers but base layers.
const captured = "layer-"

// NewLayerID returns an id that no layer has had.
func (s *Store) NewLayerID() string { return captured + random() }

// Disposable returns the ids of the layers that need not stay once nothing uses them: captured and
// imported ones, and base layers that one of a newer recipe replaces.
func (s *Store) Disposable() ([]string, error) {
	layers, err := s.List()
	return slices.DeleteFunc(layers, func(layer string) bool {
		return !strings.HasPrefix(layer, captured) && !s.isReplaced(layer)
	}), err
}

// RemoveCaptured deletes all captured and imported layers. Nothing may use them.
func (s *Store) RemoveCaptured(ctx context.Context) error {
	layers, problems := s.List()
	for _, layer := range layers {
		if strings.HasPrefix(layer, captured) {
			problems = errors.Join(problems, s.Remove(ctx, layer))
		}
	}
	return problems
}

// NewDir creates an empty directory on the store's filesystem, for the caller to fill and
// Commit. Clean deletes directories that were never committed.
func (s *Store) NewDir() (string, error) {
	dir := filepath.Join(s.uncommitted(), random())
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", fmt.Errorf("create a directory for a layer: %w", err)
	}
	return dir, nil
}

// Commit moves what is at path, a directory of files or a disk, into the store as the layer
// with the given id. It must be on the store's filesystem and must not be written to any
// longer. When Commit returns, the layer survives a power failure.
func (s *Store) Commit(ctx context.Context, path, layer string) error {
	if !validLayer.MatchString(layer) {
		return fmt.Errorf("commit %s: %q is not a valid layer id", path, layer)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("commit layer %s: %w", layer, err)
	}
	if err := syncFilesystem(path); err != nil {
		return fmt.Errorf("commit layer %s: %w", layer, err)
	}
	if err := unix.Renameat2(unix.AT_FDCWD, path, unix.AT_FDCWD, s.Path(layer), unix.RENAME_NOREPLACE); err != nil {
		return fmt.Errorf("commit layer %s: %w", layer, err)
	}
	if err := syncFilesystem(s.layers()); err != nil {
		return fmt.Errorf("commit layer %s: %w", layer, err)
	}
	return nil
}

func syncFilesystem(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return unix.Syncfs(int(f.Fd()))
}

// Remove deletes a layer that no machine uses. The layer disappears from the store at once,
// its files gradually. If ctx ends before that, the next Clean deletes the rest. Removing a
// layer that does not exist is no error.
func (s *Store) Remove(ctx context.Context, layer string) error {
	if !validLayer.MatchString(layer) {
		return fmt.Errorf("remove layer %q: %w", layer, ErrNoLayer)
	}
	trashed := filepath.Join(s.trash(), layer+"."+random())
	err := os.Rename(s.Path(layer), trashed)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove layer %s: %w", layer, err)
	}
	return filetree.Remove(ctx, trashed)
}

// Clean deletes what interrupted operations left: half-built layers, directories that were
// never committed, files of removed layers, imports of processes that have ended. No build or
// capture may be running. What cannot be deleted does not keep Clean from the rest.
func (s *Store) Clean(ctx context.Context) error {
	problems := s.cleanImports(ctx)
	for _, dir := range []string{s.uncommitted(), s.trash()} {
		entries, err := os.ReadDir(dir)
		problems = errors.Join(problems, err)
		for _, entry := range entries {
			problems = errors.Join(problems, filetree.Remove(ctx, filepath.Join(dir, entry.Name())))
		}
	}
	if problems != nil {
		return fmt.Errorf("clean the image store: %w", problems)
	}
	return nil
}

func random() string {
	var b [9]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}
