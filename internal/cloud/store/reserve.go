package store

import (
	"fmt"
	"os"

	"go.etcd.io/bbolt"
)

// The database's file is larger than its content by at least minReserve bytes, which the disk
// has allocated. On a full disk, transactions that change and delete rows use them: what exists
// can be terminated, and its end is recorded. A transaction that adds a row needs the reserve
// to be complete, so additions cannot use it up.
const (
	minReserve = 4 << 20
	maxReserve = 2 * minReserve
)

// reserve allocates the space of a database's file in advance.
type reserve struct {
	file *os.File
	end  int64 // the file is allocated up to here
}

// open opens the database's file, as os.OpenFile does.
func (r *reserve) open(name string, flag int, mode os.FileMode) (f *os.File, err error) {
	r.file, err = os.OpenFile(name, flag, mode)
	return r.file, err
}

// complete makes the reserve at least minReserve. tx knows how much of the file has content;
// nothing reads what is behind it.
func (r *reserve) complete(tx *bbolt.Tx) error {
	used := tx.Size()
	if r.end == 0 {
		r.end = allocated(r.file)
	}
	if r.end >= used+minReserve {
		return nil
	}
	zeros := make([]byte, 1<<20)
	for r.end = max(r.end, used); r.end < used+maxReserve; {
		n, err := r.file.WriteAt(zeros, r.end) // a file that was only extended would have holes
		r.end += int64(n)
		if err != nil {
			return fmt.Errorf("reserve disk space: %w", err)
		}
	}
	return nil
}
