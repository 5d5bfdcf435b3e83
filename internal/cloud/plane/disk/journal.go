//go:build linux

package disk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

const (
	blockSize  = 4096
	journalMiB = "16"
)

// Parts of ext4's superblock (kernel documentation, filesystems/ext4, "Super Block" and
// "Extent Tree").
const (
	superblock     = 1024  // its offset on the disk
	journalExtents = 0x10c // s_jnl_blocks, a copy of the journal's extent tree
	extentsSize    = 60
	extentMagic    = 0xf30a
	extentSize     = 12 // of the tree's header as well as of an extent
)

// allocateJournal allocates the space of the disk's journal on the host. A filesystem that
// cannot write its journal, because the host's disk is full, becomes read-only.
func allocateJournal(f *os.File) error {
	tree := make([]byte, extentsSize)
	if _, err := f.ReadAt(tree, superblock+journalExtents); err != nil {
		return fmt.Errorf("find the journal: %w", err)
	}
	number, depth := int(binary.LittleEndian.Uint16(tree[2:])), binary.LittleEndian.Uint16(tree[6:])
	if binary.LittleEndian.Uint16(tree) != extentMagic || depth != 0 || (1+number)*extentSize > extentsSize {
		return errors.New("find the journal: its extents have an unknown form")
	}
	for i := range number {
		extent := tree[(1+i)*extentSize:]
		blocks := int64(binary.LittleEndian.Uint16(extent[4:]))
		start := int64(binary.LittleEndian.Uint16(extent[6:]))<<32 | int64(binary.LittleEndian.Uint32(extent[8:]))
		err := unix.Fallocate(int(f.Fd()), 0, start*blockSize, blocks*blockSize)
		if err != nil && !errors.Is(err, unix.EOPNOTSUPP) {
			return fmt.Errorf("allocate the journal: %w", err)
		}
	}
	return nil
}
