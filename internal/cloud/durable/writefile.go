// Package durable writes files that survive a loss of power.
package durable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// WriteFile replaces a file's content. Whoever reads the file sees the old content or
// the new content, also after a loss of power; when WriteFile has returned, the new
// content. The folder must exist. Only one WriteFile of a path may run at a time.
//
// A rename alone is not enough: the file system may write it to disk before the content,
// which leaves an empty file, or much later (fsync(2), rename(2)).
func WriteFile(path string, data []byte, mode os.FileMode) error {
	temporary := path + ".new"
	if err := writeSynced(temporary, data, mode); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := Rename(temporary, path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// Rename gives a synced file another name in the same folder. When it has returned, the
// name survives a loss of power.
func Rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return SyncFolder(filepath.Dir(to))
}

// SyncFolder makes the names of the files in a folder survive a loss of power. The files
// themselves must be synced too.
func SyncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

func writeSynced(path string, data []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
