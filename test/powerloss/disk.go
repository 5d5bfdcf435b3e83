//go:build linux

// Package powerloss is a file system that can lose power. It keeps in memory what was
// written but not yet synced, and a loss of power drops a random part of that.
//
// It promises no more than POSIX does: fsync of a file makes its content durable, fsync of
// the folder the names in it. Everything else may reach the disk in any order, or never.
package powerloss

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// Disk is a mounted file system of one folder. The process that mounts it must not map
// its files into memory: the page fault would stop the goroutines that answer it.
type Disk struct {
	server *fuse.Server

	mu      sync.Mutex
	left    int // changes until the power is lost; 0: it is lost; negative: it never is
	changes int
	durable map[string]*file // names as of the last fsync of the folder
	renames []map[string]*file
	now     map[string]*file
}

// Never is a number of changes after which no disk loses power.
const Never = -1

// Mount mounts a disk with files on a folder. After a number of changes all further ones
// fail: the power is lost.
func Mount(folder string, files map[string][]byte, lostAfter int) (*Disk, error) {
	d := &Disk{left: lostAfter, durable: map[string]*file{}}
	for name, content := range files {
		d.durable[name] = &file{disk: d, now: slices.Clone(content), durable: content}
	}
	d.now = maps.Clone(d.durable)
	server, err := fs.Mount(folder, &root{disk: d}, &fs.Options{MountOptions: fuse.MountOptions{
		DirectMountStrict: true, FsName: "powerloss", Name: "powerloss", MaxWrite: 1 << 20, DisableXAttrs: true,
	}})
	if err != nil {
		return nil, fmt.Errorf("mount a disk that can lose power: %w", err)
	}
	d.server = server
	return d, nil
}

// Unmount unmounts the disk. No process may have a file of it open.
func (d *Disk) Unmount() error { return d.server.Unmount() }

// Lost reports whether the power is lost.
func (d *Disk) Lost() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.left == 0
}

// Changes returns the number of changes so far.
func (d *Disk) Changes() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.changes
}

// Files returns the files that a computer finds which starts after a loss of power now.
func (d *Disk) Files(random *rand.Rand) map[string][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left = 0
	names := d.durable
	if n := random.IntN(len(d.renames) + 1); n > 0 { // a journal keeps the order of names
		names = d.renames[n-1]
	}
	chance := []float64{0, 0.5, 0.95, 1}[random.IntN(4)] // of an unsynced sector to reach the disk
	found := map[string][]byte{}
	for name, f := range names {
		found[name] = f.afterLoss(random, chance)
	}
	return found
}

// change counts a change and reports whether there is still power for it. d.mu is held.
func (d *Disk) change() bool {
	if d.left == 0 {
		return false
	}
	d.left--
	d.changes++
	return true
}

// rename records what the folder contains now. d.mu is held.
func (d *Disk) rename(edit func(names map[string]*file)) {
	next := maps.Clone(d.now)
	edit(next)
	d.now = next
	d.renames = append(d.renames, next)
}

// syncNames makes the names in the folder durable. d.mu is held.
func (d *Disk) syncNames() { d.durable, d.renames = d.now, nil }
