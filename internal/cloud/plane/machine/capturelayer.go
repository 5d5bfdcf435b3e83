package machine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Capture makes a read-only layer of what the machine has written on its disk, and
// returns its id. Together with the layers that the machine stood on, which are its
// Status.Layers before, it is an image of the machine.
//
// With reboot, and of a machine that is off, the disk itself becomes the layer: the
// machine then stands on it too, with a fresh disk on top, and keeps its network.
// Without, a running machine is frozen while its disk is copied; what its programs
// had not written yet is not in the layer.
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

// thawTimeout is how long letting a machine go on may take, whatever happened before.
const thawTimeout = 10 * time.Second

func (p *Plane) copyDisk(ctx context.Context, id string, images Images, layer string) error {
	room, err := images.NewDir()
	if err != nil {
		return err
	}
	if err := p.copyFrozen(ctx, id, room); err != nil {
		return errors.Join(err, os.RemoveAll(room))
	}
	if err := images.Commit(ctx, filepath.Join(room, "upper"), layer); err != nil {
		return errors.Join(err, os.RemoveAll(room))
	}
	return os.Remove(room)
}

// copyFrozen copies the writable layer into room while nothing in the machine runs.
// cp keeps owners, times, hard links, extended attributes and the device nodes and
// attributes by which overlayfs marks what was deleted; where the filesystem shares
// blocks it copies none.
func (p *Plane) copyFrozen(ctx context.Context, id, room string) (err error) {
	group := p.cgroup(id)
	frozen, err := group.isFrozen()
	if err != nil {
		return err
	}
	if err := group.setFrozen(ctx, true); err != nil {
		return err
	}
	defer func() {
		if frozen {
			return // and is to stay so
		}
		whatever, cancel := context.WithTimeout(context.WithoutCancel(ctx), thawTimeout)
		defer cancel()
		err = errors.Join(err, group.setFrozen(whatever, false))
	}()
	if err := syncRoot(p.root(id)); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "cp", "--archive", "--reflink=auto", "--sparse=auto", p.upper(id), room).
		CombinedOutput()
	if err != nil {
		return fmt.Errorf("copy its disk: %w: %s", err, out)
	}
	return nil
}

// syncRoot writes out what the machine's files have in memory.
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

// moveDisk freezes the writable layer of a machine after powering it off, and
// boots the machine again if it ran. The layer is written down before it exists:
// an interruption between can lose neither.
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
	if err := p.resetDisk(id); err != nil {
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

func (p *Plane) resetDisk(id string) error {
	if err := os.RemoveAll(filepath.Join(p.disk(id), "work")); err != nil {
		return fmt.Errorf("give it a fresh disk: %w", err)
	}
	for _, dir := range []string{p.upper(id), filepath.Join(p.disk(id), "work")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("give it a fresh disk: %w", err)
		}
	}
	return nil
}
