//go:build linux

package machine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/filetree"
)

// Capture creates a read-only layer from what the machine has written on its disk, and
// returns the layer's id. On top of the layers that the machine had before
// (Status.Layers), it makes an image of the machine.
//
// If the machine is off or reboot is set, the disk itself becomes the layer: the machine
// uses it as one of its layers from then on, with an empty disk on top, and keeps its
// network. Otherwise Capture freezes the running machine and copies its disk; the copy lacks
// what programs have not written yet.
func (p *Plane) Capture(ctx context.Context, id string, images Images, reboot bool) (layer string, err error) {
	err = p.withLock(ctx, id, "capture", func() error {
		r, err := p.readRecord(id)
		if err != nil {
			return err
		}
		now := p.Status(id)
		layer = images.NewLayerID()
		if now.State == Running && !reboot {
			return p.copyDisk(ctx, id, images, layer)
		}
		return p.moveDisk(ctx, r, now, images, layer)
	})
	if err != nil {
		return "", err
	}
	return layer, nil
}

func (p *Plane) copyDisk(ctx context.Context, id string, images Images, layer string) error {
	dir, err := images.NewDir()
	if err != nil {
		return err
	}
	if err := p.copyFrozen(ctx, id, dir); err != nil {
		return errors.Join(err, filetree.Remove(context.WithoutCancel(ctx), dir))
	}
	if err := images.Commit(ctx, filepath.Join(dir, "upper"), layer); err != nil {
		return errors.Join(err, filetree.Remove(context.WithoutCancel(ctx), dir))
	}
	return os.Remove(dir)
}

// copyFrozen copies the machine's disk to dir while the machine is frozen. cp preserves
// owners, times, hard links, extended attributes, and the device nodes and attributes with
// which overlayfs marks deleted files. Where the filesystem can share blocks, none are
// copied.
func (p *Plane) copyFrozen(ctx context.Context, id, dir string) (err error) {
	group := p.cgroup(id)
	wasFrozen, err := group.isFrozen()
	if err != nil {
		return err
	}
	defer func() { // also if freezing failed, which may have frozen some of its processes
		if wasFrozen {
			return
		}
		thawCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), thawTimeout)
		defer cancel()
		err = errors.Join(err, group.setFrozen(thawCtx, false))
	}()
	if err := group.setFrozen(ctx, true); err != nil {
		return err
	}
	if err := syncRoot(p.root(id)); err != nil {
		return err
	}
	cp := exec.CommandContext(ctx, "cp", "--archive", "--reflink=auto", "--sparse=auto", p.upper(id), dir)
	if out, err := cp.CombinedOutput(); err != nil {
		return fmt.Errorf("copy its disk: %w: %s", err, out)
	}
	return nil
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

// moveDisk powers the machine off, turns its disk into the layer, and boots the machine
// again if it ran. The record names the layer before the layer exists, so that an
// interruption loses neither.
func (p *Plane) moveDisk(ctx context.Context, r record, now Status, images Images, layer string) error {
	id := r.Machine.ID
	if now.State == Running {
		if err := p.halt(ctx, id); err != nil {
			return err
		}
	}
	if err := unmount(p.root(id)); err != nil {
		return err
	}
	r.Captured = append(r.Captured, images.Path(layer))
	if err := p.writeRecord(r); err != nil {
		return err
	}
	if err := images.Commit(ctx, p.upper(id), layer); err != nil {
		return err
	}
	if err := p.resetDisk(ctx, id); err != nil {
		return err
	}
	if now.State == Absent || now.Launcher == 0 {
		return nil
	}
	if err := p.mountRoot(r, now.Launcher); err != nil {
		return err
	}
	if now.State != Running {
		return nil
	}
	return p.boot(ctx, id)
}

// resetDisk creates an empty disk after the former one has become a layer.
func (p *Plane) resetDisk(ctx context.Context, id string) error {
	if err := filetree.Remove(ctx, p.work(id)); err != nil {
		return fmt.Errorf("create an empty disk: %w", err)
	}
	for _, dir := range []string{p.upper(id), p.work(id)} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("create an empty disk: %w", err)
		}
	}
	return nil
}
