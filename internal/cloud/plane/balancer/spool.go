//go:build linux

package balancer

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// UnfinishedLog ends the names of files of access logs that are being written.
const UnfinishedLog = ".part"

// logFile is a finished file of access logs.
type logFile struct {
	name     string
	size     int64
	modified time.Time
}

// Spool is the folder in which the balancer process leaves finished access logs. The folder
// belongs to another user, whose links Spool does not follow.
type Spool struct {
	Dir string
	// Limit is how many bytes files that could not be delivered may have together. Beyond it
	// the oldest are deleted.
	Limit int64
	// Deliver delivers a file, which is named as in its bucket: bucket, prefix and AWS's name.
	// If it returns ErrUndeliverable, the file is deleted; with other errors it is tried
	// again.
	Deliver func(name string, modified time.Time, content io.Reader) error
}

// ErrUndeliverable is the error for a file that nobody will take.
var ErrUndeliverable = errors.New("the file cannot be delivered")

// Empty delivers all finished files, the oldest first, and deletes them. It returns how many
// it has deleted without having delivered them.
func (s *Spool) Empty() (dropped int, err error) {
	root, err := os.OpenRoot(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("deliver the access logs: %w", err)
	}
	defer func() { _ = root.Close() }()
	files, err := finished(root)
	if err != nil {
		return 0, fmt.Errorf("deliver the access logs: %w", err)
	}
	var problems error
	var kept []logFile
	for _, file := range files {
		err := s.deliver(root, file)
		switch {
		case errors.Is(err, ErrUndeliverable):
			dropped++
		case err != nil:
			problems, kept = err, append(kept, file)
			continue
		}
		if err := root.Remove(file.name); err != nil {
			return dropped, fmt.Errorf("delete a delivered access log: %w", err)
		}
	}
	excess, err := s.bound(root, kept)
	return dropped + excess, errors.Join(problems, err)
}

func (s *Spool) deliver(root *os.Root, file logFile) error {
	f, err := root.Open(file.name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return s.Deliver(file.name, file.modified, f)
}

// bound deletes the oldest of the files until they are within the limit.
func (s *Spool) bound(root *os.Root, files []logFile) (deleted int, err error) {
	var total int64
	for _, file := range files {
		total += file.size
	}
	for _, file := range files {
		if total <= s.Limit {
			break
		}
		if err := root.Remove(file.name); err != nil {
			return deleted, fmt.Errorf("delete an access log: %w", err)
		}
		total -= file.size
		deleted++
	}
	return deleted, nil
}

// finished returns the finished files below a folder, the oldest first.
func finished(root *os.Root) (files []logFile, err error) {
	err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || filepath.Ext(name) == UnfinishedLog {
			return ignoreMissing(err)
		}
		info, err := entry.Info()
		if err != nil {
			return ignoreMissing(err)
		}
		files = append(files, logFile{name, info.Size(), info.ModTime()})
		return nil
	})
	slices.SortFunc(files, func(a, b logFile) int {
		if c := a.modified.Compare(b.modified); c != 0 {
			return c
		}
		return strings.Compare(a.name, b.name)
	})
	return files, err
}

// ignoreMissing drops the error of a file that has been renamed meanwhile.
func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
