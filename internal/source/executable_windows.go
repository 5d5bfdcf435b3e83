package source

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
)

// isExecutable reports whether a file is a program on Linux: a script that names its
// interpreter or an ELF file (execve(2)). Windows keeps no executable bit.
func isExecutable(f *os.File, _ fs.FileInfo) (bool, error) {
	start := make([]byte, 4)
	n, err := f.ReadAt(start, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	start = start[:n]
	return bytes.HasPrefix(start, []byte("#!")) || bytes.Equal(start, []byte("\x7fELF")), nil
}
