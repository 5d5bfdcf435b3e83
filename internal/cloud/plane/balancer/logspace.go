//go:build linux

package balancer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"
)

// logFile is a file of access logs.
type logFile struct {
	name     string
	size     int64
	modified time.Time
}

// BoundLogs deletes the oldest files below the folder of access logs until all of them
// together have at most limit bytes, and returns how many it has deleted. Another user owns
// the folder, whose links BoundLogs does not follow.
func BoundLogs(folder string, limit int64) (deleted int, err error) {
	root, err := os.OpenRoot(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("bound the access logs: %w", err)
	}
	defer func() { _ = root.Close() }()
	files, total, err := listLogs(root)
	if err != nil {
		return 0, fmt.Errorf("bound the access logs: %w", err)
	}
	slices.SortFunc(files, func(a, b logFile) int { return a.modified.Compare(b.modified) })
	for _, file := range files {
		if total <= limit {
			break
		}
		if err := root.Remove(file.name); err != nil {
			return deleted, fmt.Errorf("bound the access logs: %w", err)
		}
		total -= file.size
		deleted++
	}
	return deleted, nil
}

// listLogs returns all files below a folder, and their size together.
func listLogs(root *os.Root) (files []logFile, total int64, err error) {
	err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return ignoreMissing(err)
		}
		info, err := entry.Info()
		if err != nil {
			return ignoreMissing(err)
		}
		files = append(files, logFile{name, info.Size(), info.ModTime()})
		total += info.Size()
		return nil
	})
	return files, total, err
}

// ignoreMissing drops the error of a file that has been renamed meanwhile.
func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
