//go:build linux

package powerloss

import (
	"context"
	"math/rand/v2"
	"slices"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// sector is the number of bytes that a disk writes wholly or not at all.
const sector = 512

// file is a file. disk.mu guards its fields.
type file struct {
	fs.Inode
	disk     *Disk
	now      []byte
	durable  []byte  // as of the last fsync
	unsynced []write // since then
}

// write is a change of a file's content: it writes data at an offset, or sets the size if
// data is nil.
type write struct {
	offset int64
	data   []byte
}

// apply returns the content after a change. It does not write into content.
func (w write) apply(content []byte) []byte {
	if w.data == nil {
		return resized(content, int(w.offset))
	}
	changed := resized(content, max(len(content), int(w.offset)+len(w.data)))
	copy(changed[w.offset:], w.data)
	return changed
}

// resized returns a copy with a size.
func resized(content []byte, size int) []byte {
	changed := make([]byte, size)
	copy(changed, content)
	return changed
}

// sectors returns the sectors of a change.
func (w write) sectors() (all []write) {
	if w.data == nil {
		return []write{w}
	}
	offset := w.offset
	for part := range slices.Chunk(w.data, sector) { // programs write aligned, or accept torn sectors
		all = append(all, write{offset, part})
		offset += int64(len(part))
	}
	return all
}

// afterLoss returns the durable content with those unsynced sectors that reached the disk.
func (f *file) afterLoss(random *rand.Rand, chance float64) []byte {
	content := f.durable
	for _, w := range f.unsynced {
		for _, part := range w.sectors() {
			if random.Float64() < chance {
				content = part.apply(content)
			}
		}
	}
	return slices.Clone(content)
}

// change applies a change, or returns EIO if the power is lost.
func (f *file) change(w write) syscall.Errno {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	powered := f.disk.change()
	if !powered {
		return syscall.EIO
	}
	if w.data != nil && int(w.offset)+len(w.data) <= len(f.now) {
		copy(f.now[w.offset:], w.data)
	} else {
		f.now = w.apply(f.now)
	}
	f.unsynced = append(f.unsynced, w)
	return 0
}

// Write implements fs.NodeWriter.
func (f *file) Write(_ context.Context, _ fs.FileHandle, data []byte, offset int64) (uint32, syscall.Errno) {
	errno := f.change(write{offset, slices.Clone(data)})
	if errno != 0 {
		return 0, errno
	}
	return uint32(len(data)), 0
}

// Setattr implements fs.NodeSetattrer. Only the size matters here.
func (f *file) Setattr(ctx context.Context, h fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	if size, ok := in.GetSize(); ok {
		if errno := f.change(write{offset: int64(size)}); errno != 0 {
			return errno
		}
	}
	return f.Getattr(ctx, h, out)
}

// Fsync implements fs.NodeFsyncer.
func (f *file) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if !f.disk.change() {
		return syscall.EIO
	}
	f.durable, f.unsynced = slices.Clone(f.now), nil
	return 0
}

// Flush implements fs.NodeFlusher: closing a file syncs nothing.
func (f *file) Flush(context.Context, fs.FileHandle) syscall.Errno { return 0 }

// Open implements fs.NodeOpener.
func (f *file) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, fuse.FOPEN_KEEP_CACHE, 0
}

// Read implements fs.NodeReader. Reading works without power: what reads is about to die.
func (f *file) Read(_ context.Context, _ fs.FileHandle, to []byte, offset int64) (fuse.ReadResult, syscall.Errno) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	begin := min(int(offset), len(f.now))
	return fuse.ReadResultData(to[:copy(to, f.now[begin:])]), 0
}

// Getattr implements fs.NodeGetattrer.
func (f *file) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	out.Mode, out.Size, out.Nlink = 0o600, uint64(len(f.now)), 1
	return 0
}
