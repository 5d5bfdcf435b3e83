package store

import (
	"os"

	"golang.org/x/sys/unix"
)

// allocated returns how much of the file, from its beginning, has space on the disk already,
// such as the reserve of an earlier process. It returns 0 if the filesystem does not know.
func allocated(file *os.File) int64 {
	end, err := unix.Seek(int(file.Fd()), 0, unix.SEEK_HOLE)
	if err != nil {
		return 0
	}
	return end
}
