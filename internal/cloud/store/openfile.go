package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"aloft.dev/aloft/internal/cloud/durable"
)

// openFile opens a database file with a function such as os.OpenFile, and creates a missing one.
func openFile(path string, open func(string, int, fs.FileMode) (*os.File, error)) (*bbolt.DB, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = createFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout: time.Second, FreelistType: bbolt.FreelistMapType, OpenFile: open,
	})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, locked(path)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return db, nil
}

// createFile creates an empty database. bbolt creates one under its name and does not sync
// the folder. A loss of power could leave a part of an empty database, which bbolt refuses
// to open, or no file although transactions in it were answered.
func createFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	unnamed := path + ".new"
	if err := os.Remove(unnamed); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	db, err := bbolt.Open(unnamed, 0o600, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	return durable.Rename(unnamed, path)
}
