//go:build linux

package machine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/disk"
	"aloft.dev/aloft/internal/cloud/plane/thread"
)

// createDisk creates the machine's disk, unless it has one.
func (p *Plane) createDisk(ctx context.Context, m Machine) error {
	if exists(p.disk(m.ID)) {
		return nil
	}
	return disk.Create(ctx, p.disk(m.ID), m.diskBytes())
}

// written returns the path of what the machine has written: its disk, or the folder that
// earlier versions had instead.
func (p *Plane) written(id string) string {
	if folder := filepath.Join(p.diskFolder(id), upperDir); exists(folder) {
		return folder
	}
	return p.disk(id)
}

// retireDisk turns the disk of a machine that is off into a layer of the machine. All that it
// has written was synced.
func (p *Plane) retireDisk(ctx context.Context, r *record, images Images, layer string) error {
	id := r.Machine.ID
	r.Captured = append(r.Captured, images.Path(layer))
	if err := p.writeRecord(*r); err != nil {
		return err
	}
	if err := images.Commit(ctx, p.written(id), layer); err != nil {
		return err
	}
	if err := os.RemoveAll(p.diskFolder(id)); err != nil {
		return fmt.Errorf("remove what is left of the disk: %w", err)
	}
	return nil
}

// migrateDisk turns what a machine of an earlier version has written into a layer of it.
// Earlier versions kept it in a folder without a limit.
func (p *Plane) migrateDisk(ctx context.Context, r *record) error {
	if !exists(filepath.Join(p.diskFolder(r.Machine.ID), upperDir)) {
		return nil
	}
	if err := p.retireDisk(ctx, r, p.config.Images, p.config.Images.NewLayerID()); err != nil {
		return fmt.Errorf("convert the disk of an earlier version: %w", err)
	}
	return nil
}

// flush writes what the machine's filesystem has in memory to the host's files. The machine is
// frozen.
func (p *Plane) flush(r record) (err error) {
	id := r.Machine.ID
	volumes := p.volumeDevices(id)
	devices, err := p.cgroup(id).limitedDisks(volumes)
	if err != nil {
		return err
	}
	if err := p.cgroup(id).freeDisks(volumes); err != nil { // the host waits for it, not the machine
		return err
	}
	defer func() {
		for _, d := range devices {
			err = errors.Join(err, p.cgroup(id).limitDisk(d, r.Machine.DiskRate))
		}
	}()
	if err := syncRoot(p.root(id)); err != nil || p.written(id) != p.disk(id) {
		return err
	}
	return p.withDiskMounted(id, disk.Flush)
}

// hold keeps the disk of a machine mounted that has it mounted, until release is called:
// unmounting it and mounting it again would take longer than everything else in a capture.
func (p *Plane) hold(id string) (release func(), err error) {
	release = func() {}
	if err := p.cgroup(id).freeDisks(p.volumeDevices(id)); err != nil {
		return release, err
	}
	if err := syncRoot(p.root(id)); err != nil || p.written(id) != p.disk(id) {
		return release, err
	}
	tree := -1
	err = p.withDiskMounted(id, func(mounted string) error {
		tree, err = unix.OpenTree(unix.AT_FDCWD, mounted, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
		return err
	})
	if err != nil {
		return release, fmt.Errorf("hold its disk: %w", err)
	}
	return func() { _ = unix.Close(tree) }, nil
}

// withDiskMounted calls do with the path at which the machine's disk is mounted, in a mount
// namespace of its own.
func (p *Plane) withDiskMounted(id string, do func(mounted string) error) error {
	return thread.RunDisposable(func() error {
		if err := enterPrivateMounts(); err != nil {
			return err
		}
		stage := p.root(id)
		if err := mountStage(stage); err != nil {
			return err
		}
		mounted := filepath.Join(stage, "disk")
		if err := disk.Mount(p.disk(id), mounted, false); err != nil {
			return err
		}
		return do(mounted)
	})
}

// syncRoot writes the page cache of the machine's files to disk.
func syncRoot(root string) error {
	f, err := os.Open(root)
	if err != nil {
		return fmt.Errorf("sync its disk: %w", err)
	}
	defer func() { _ = f.Close() }()
	if err := unix.Syncfs(int(f.Fd())); err != nil {
		return fmt.Errorf("sync its disk: %w", err)
	}
	return nil
}

// reserve is how many bytes machines leave free on the host's disk.
const reserve = 256 << 20

// IsReadOnly reports whether a machine that runs can no longer write to its disk, because the
// host's was full or failed.
func (p *Plane) IsReadOnly(id string) bool {
	return disk.HasErrors(p.disk(id)) && p.Status(id).State == Running && isReadOnly(p.root(id))
}

// CheckRoom returns ErrNoRoom if the host's disk is too full for another machine or layer.
// Disks are sparse: all of them together may be larger than the host's.
func (p *Plane) CheckRoom() error {
	var stat unix.Statfs_t
	if err := unix.Statfs(p.config.Dir, &stat); err != nil {
		return fmt.Errorf("measure the free disk space: %w", err)
	}
	if free := int64(stat.Bavail) * stat.Bsize; free < reserve {
		return fmt.Errorf("%w: %s has %d MiB left, and machines leave %d MiB free",
			ErrNoRoom, p.config.Dir, free>>20, reserve>>20)
	}
	return nil
}
