//go:build linux

package host

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// logLimit is the size from which on the daemon's log moves to the file of the older log.
const logLimit = 64 << 20

// boundedLog is the daemon's log: whoever makes many requests, such as a machine, must not
// fill the disk with it.
type boundedLog struct {
	file  *os.File // open for appending
	path  string
	older string
	limit int64
}

// BoundLog returns a writer to the local cloud's log that limits its size. If w is not that
// log, because the daemon runs in the foreground, BoundLog returns w. One goroutine at a time
// may write.
func BoundLog(layout Layout, w io.Writer) io.Writer {
	return boundLog(layout, w, logLimit)
}

func boundLog(layout Layout, w io.Writer, limit int64) io.Writer {
	file, ok := w.(*os.File)
	if !ok {
		return w
	}
	is, err := file.Stat()
	if err != nil {
		return w
	}
	if log, err := os.Stat(layout.Log()); err != nil || !os.SameFile(is, log) {
		return w
	}
	return &boundedLog{file: file, path: layout.Log(), older: layout.olderLog(), limit: limit}
}

// Write appends to the log.
func (l *boundedLog) Write(line []byte) (int, error) {
	if info, err := l.file.Stat(); err == nil && info.Size() >= l.limit {
		// The daemon and its subprocesses have the file open, so it cannot be renamed.
		if err := l.archive(); err != nil {
			_, _ = fmt.Fprintln(l.file, err)
		}
		if err := l.file.Truncate(0); err != nil {
			return 0, fmt.Errorf("shorten the log: %w", err)
		}
	}
	return l.file.Write(line)
}

// archive replaces the older log by the present one.
func (l *boundedLog) archive() error {
	from, err := os.Open(l.path)
	if err != nil {
		return fmt.Errorf("keep the older log: %w", err)
	}
	defer func() { _ = from.Close() }()
	to, err := os.OpenFile(l.older, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("keep the older log: %w", err)
	}
	_, err = io.Copy(to, from)
	if err := errors.Join(err, to.Close()); err != nil {
		return fmt.Errorf("keep the older log: %w", err)
	}
	return nil
}
