//go:build linux

package filetree

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const (
	// maxOpen limits how many directories of a walk are open.
	maxOpen = 16

	// batch is how many names a walk reads at once.
	batch = 128
)

// walk is a removal in progress. Its position is the last of its levels: the path from the
// directory with the tree down to the directory that is being emptied.
type walk struct {
	removeEntry remover
	levels      []level

	// emptied is set when the walk has just come back from the directory that is named
	// next, and has found nothing left in it.
	emptied bool
}

type level struct {
	dir   *os.File // nil while too many directories below it are open
	names []string // entries that were read and are not yet removed
	inode inode
}

// inode identifies a directory, so that the walk notices if ".." leads somewhere else.
type inode struct{ dev, ino uint64 }

func remove(ctx context.Context, path string, removeEntry remover) (err error) {
	path = filepath.Clean(path)
	parent, err := os.Open(filepath.Dir(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove %s: %w", path, err)
	}
	w := &walk{
		removeEntry: removeEntry,
		levels:      []level{{dir: parent, names: []string{filepath.Base(path)}}},
	}
	defer func() {
		for _, l := range w.levels {
			if l.dir != nil {
				_ = l.dir.Close()
			}
		}
	}()
	if err := w.run(ctx); err != nil {
		return fmt.Errorf("remove %s: %w", path, err)
	}
	return nil
}

// run removes what is named in the first level.
func (w *walk) run(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		name, err := w.next()
		switch {
		case err == nil:
			err = w.removeNext(name)
		case errors.Is(err, io.EOF) && len(w.levels) == 1:
			return nil
		case errors.Is(err, io.EOF):
			err = w.leave()
		}
		if err != nil {
			return fmt.Errorf("at depth %d: %w", len(w.levels)-1, err)
		}
	}
}

// next returns the name of an entry to remove, or io.EOF if there is none left.
func (w *walk) next() (string, error) {
	l := &w.levels[len(w.levels)-1]
	if len(l.names) == 0 {
		if len(w.levels) == 1 {
			return "", io.EOF
		}
		var err error
		if l.names, err = l.dir.Readdirnames(batch); err != nil {
			return "", err
		}
	}
	return l.names[0], nil
}

// removeNext removes an entry, or enters it if it is a directory that has entries.
func (w *walk) removeNext(name string) error {
	l := &w.levels[len(w.levels)-1]
	err := w.removeEntry(int(l.dir.Fd()), name)
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist):
		l.names, w.emptied = l.names[1:], false
		return nil
	case !errors.Is(err, errFull):
		return &fs.PathError{Op: "remove", Path: fmt.Sprintf("%q", name), Err: err}
	case w.emptied: // by this walk: something fills it again, or it has processes
		return &fs.PathError{Op: "remove", Path: fmt.Sprintf("%q", name), Err: unix.EBUSY}
	}
	return w.enter(name)
}

// enter makes a directory the last level.
func (w *walk) enter(name string) error {
	dir, id, err := openDir(w.levels[len(w.levels)-1].dir, name)
	if err != nil {
		return err
	}
	w.levels = append(w.levels, level{dir: dir, inode: id})
	// The first level stays open: it must never be read, and cannot be reached again.
	if above := len(w.levels) - 1 - maxOpen; above > 0 {
		l := &w.levels[above]
		_ = l.dir.Close()
		l.dir, l.names = nil, nil
	}
	return nil
}

// leave makes the parent of an empty directory the last level.
func (w *walk) leave() error {
	child, parent := &w.levels[len(w.levels)-1], &w.levels[len(w.levels)-2]
	w.emptied = parent.dir != nil
	if parent.dir == nil {
		dir, id, err := openDir(child.dir, "..")
		if err != nil {
			return err
		}
		parent.dir = dir
		if id != parent.inode {
			return errors.New("its parent has changed meanwhile")
		}
	}
	_ = child.dir.Close()
	w.levels = w.levels[:len(w.levels)-1]
	return nil
}

// openDir opens a directory in another, and not what a symbolic link refers to.
func openDir(in *os.File, name string) (*os.File, inode, error) {
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	for {
		fd, err := unix.Openat(int(in.Fd()), name, flags, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, inode{}, &fs.PathError{Op: "open", Path: fmt.Sprintf("%q", name), Err: err}
		}
		dir := os.NewFile(uintptr(fd), name)
		var stat unix.Stat_t
		if err := unix.Fstat(fd, &stat); err != nil {
			_ = dir.Close()
			return nil, inode{}, fmt.Errorf("stat %q: %w", name, err)
		}
		return dir, inode{stat.Dev, stat.Ino}, nil
	}
}
