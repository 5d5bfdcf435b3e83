//go:build linux

package machine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/cloud/plane/disk"
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
		if err := p.CheckRoom(); err != nil {
			return err
		}
		now := p.Status(id)
		layer = images.NewLayerID()
		if now.State == Running && !reboot {
			return p.copyDisk(ctx, r, images, layer)
		}
		return p.moveDisk(ctx, r, now, images, layer)
	})
	if err != nil {
		return "", err
	}
	return layer, nil
}

func (p *Plane) copyDisk(ctx context.Context, r record, images Images, layer string) error {
	dir, err := images.NewDir()
	if err != nil {
		return err
	}
	if err := p.copyFrozen(ctx, r, dir); err != nil {
		return errors.Join(err, filetree.Remove(context.WithoutCancel(ctx), dir))
	}
	if err := images.Commit(ctx, filepath.Join(dir, filepath.Base(p.written(r.Machine.ID))), layer); err != nil {
		return errors.Join(err, filetree.Remove(context.WithoutCancel(ctx), dir))
	}
	return os.Remove(dir)
}

// copyFrozen copies the machine's disk to dir while the machine is frozen. cp copies what is
// in use of the file. Where the filesystem can share blocks, none are copied.
func (p *Plane) copyFrozen(ctx context.Context, r record, dir string) error {
	id := r.Machine.ID
	return p.whileFrozen(ctx, id, func() error {
		if err := p.flush(r); err != nil {
			return err
		}
		cp := exec.CommandContext(ctx, "cp", "--archive", "--reflink=auto", "--sparse=auto", p.written(id), dir)
		if out, err := cp.CombinedOutput(); err != nil {
			return fmt.Errorf("copy its disk: %w: %s", err, out)
		}
		return nil
	})
}

// whileFrozen calls do while the machine is frozen. What a killed daemon leaves frozen, the next
// one thaws.
func (p *Plane) whileFrozen(ctx context.Context, id string, do func() error) (err error) {
	wasFrozen, err := p.cgroup(id).isFrozen()
	if err != nil {
		return err
	}
	if !wasFrozen {
		if err := os.WriteFile(p.capturing(id), nil, 0o600); err != nil {
			return fmt.Errorf("note that a capture freezes the machine: %w", err)
		}
		defer func() { // also if freezing failed, which may have frozen some of its processes
			thawCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), thawTimeout)
			defer cancel()
			err = errors.Join(err, p.endCapture(thawCtx, id))
		}()
	}
	if err := p.cgroup(id).setFrozen(ctx, true); err != nil {
		return err
	}
	return do()
}

// endCapture thaws a machine that a capture has frozen.
func (p *Plane) endCapture(ctx context.Context, id string) error {
	if err := p.thaw(ctx, id); err != nil {
		return err
	}
	return os.Remove(p.capturing(id))
}

// endInterruptedCaptures thaws the machines that the captures of a killed daemon have frozen,
// and their filesystems.
func (p *Plane) endInterruptedCaptures() {
	for _, id := range p.List() {
		if !exists(p.capturing(id)) {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), thawTimeout)
		var err error
		if p.written(id) == p.disk(id) {
			err = p.withDiskMounted(id, disk.Thaw)
		}
		err = errors.Join(err, p.endCapture(ctx, id))
		cancel()
		p.config.Log.Warn("thawed a machine whose capture was interrupted", "machine", id, "error", err)
	}
}

// moveDisk powers the machine off, turns its disk into the layer, and boots the machine
// again if it ran. The record names the layer before the layer exists, so that an
// interruption loses neither.
func (p *Plane) moveDisk(ctx context.Context, r record, now Status, images Images, layer string) error {
	id := r.Machine.ID
	var next errgroup.Group
	next.Go(func() error { return disk.Create(ctx, p.nextDisk(id), r.Machine.diskBytes()) })
	release, err := p.takeDown(ctx, id, now)
	defer release()
	if err := errors.Join(err, next.Wait()); err != nil {
		return err
	}
	if err := p.retireDisk(ctx, &r, images, layer); err != nil {
		return err
	}
	if err := os.Rename(p.nextDisk(id), p.disk(id)); err != nil {
		return fmt.Errorf("create an empty disk: %w", err)
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

// takeDown powers a running machine off and unmounts its root filesystem. Its disk stays
// mounted until release is called.
func (p *Plane) takeDown(ctx context.Context, id string, now Status) (release func(), err error) {
	release = func() {}
	if now.State == Running {
		if err := p.halt(ctx, id); err != nil {
			return release, err
		}
	}
	if mountedAs(p.root(id), overlayMagic) {
		if release, err = p.hold(id); err != nil {
			return release, err
		}
	}
	return release, p.unmountRoot(id, now.Launcher)
}
