//go:build linux

package powerloss

import (
	"context"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// root is the only folder of a disk.
type root struct {
	fs.Inode
	disk *Disk
}

// OnAdd implements fs.NodeOnAdder: it adds the files that the disk was mounted with.
func (r *root) OnAdd(ctx context.Context) {
	for name, f := range r.disk.now {
		r.AddChild(name, r.NewPersistentInode(ctx, f, fs.StableAttr{Mode: syscall.S_IFREG}), false)
	}
}

// edit changes the names in the folder, or returns EIO if the power is lost.
func (r *root) edit(edit func(names map[string]*file)) syscall.Errno {
	r.disk.mu.Lock()
	defer r.disk.mu.Unlock()
	if !r.disk.change() {
		return syscall.EIO
	}
	r.disk.rename(edit)
	return 0
}

// Create implements fs.NodeCreater.
func (r *root) Create(ctx context.Context, name string, _, _ uint32, out *fuse.EntryOut) (
	*fs.Inode, fs.FileHandle, uint32, syscall.Errno,
) {
	f := &file{disk: r.disk}
	if errno := r.edit(func(names map[string]*file) { names[name] = f }); errno != 0 {
		return nil, nil, 0, errno
	}
	out.Mode, out.Nlink = 0o600, 1
	return r.NewPersistentInode(ctx, f, fs.StableAttr{Mode: syscall.S_IFREG}), nil, fuse.FOPEN_KEEP_CACHE, 0
}

// Unlink implements fs.NodeUnlinker.
func (r *root) Unlink(_ context.Context, name string) syscall.Errno {
	return r.edit(func(names map[string]*file) { delete(names, name) })
}

// Rename implements fs.NodeRenamer.
func (r *root) Rename(_ context.Context, from string, _ fs.InodeEmbedder, to string, _ uint32) syscall.Errno {
	return r.edit(func(names map[string]*file) {
		names[to] = names[from]
		delete(names, from)
	})
}

// Fsync implements fs.NodeFsyncer for the folder.
func (r *root) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	r.disk.mu.Lock()
	defer r.disk.mu.Unlock()
	if !r.disk.change() {
		return syscall.EIO
	}
	r.disk.syncNames()
	return 0
}
