//go:build linux

package machine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/disk"
	"aloft.dev/aloft/internal/cloud/plane/thread"
)

// Volume is a block device of a machine besides its disk. It is part of a machine's record on
// disk, under these field names.
type Volume struct {
	ID   string   // such as vol-0123456789abcdef0
	File string   // the host's file with its content, of its size
	NVMe int      // the number of its device: 1 for /dev/nvme1n1
	Name string   // a further name of the device in /dev, such as sdf
	Rate DiskRate // limit of what the machine reads from it, and of what it writes
}

// ErrNoDevices is returned for a machine that an earlier version started, which gets no volumes
// before it is stopped and started.
var ErrNoDevices = errors.New("it was started by an earlier version: stop and start the instance")

func (v Volume) device() string { return fmt.Sprintf("nvme%dn1", v.NVMe) }

// links returns the links to the volume's device below /dev: path to target. Their names are
// those of udev's rules in images for EC2 (Amazon EC2 User Guide, "Identify EBS volumes").
func (v Volume) links() map[string]string {
	serial := strings.ReplaceAll(v.ID, "-", "")
	return map[string]string{
		v.Name: v.device(),
		"disk/by-id/nvme-Amazon_Elastic_Block_Store_" + serial: "../../" + v.device(),
	}
}

// AttachVolume gives a machine that was prepared a volume. It changes nothing if the machine has
// it.
func (p *Plane) AttachVolume(ctx context.Context, id string, v Volume) error {
	return p.withLock(ctx, id, "attach "+v.ID+" to", func() error {
		r, err := p.readRecord(id)
		if err != nil {
			return err
		}
		if !exists(p.devices(id)) {
			return ErrNoDevices
		}
		if !slices.ContainsFunc(r.Machine.Volumes, func(other Volume) bool { return other.ID == v.ID }) {
			r.Machine.Volumes = append(r.Machine.Volumes, v)
			if err := p.writeRecord(r); err != nil {
				return err
			}
		}
		return p.attachVolume(r.Machine, v)
	})
}

// DetachVolume takes a volume from a machine, or from what is left of one, and reports whether
// it is gone. A volume that is mounted in the machine stays until it is unmounted there; no
// other program of the machine can open it meanwhile. With force, it goes at once: whoever uses
// it gets I/O errors.
func (p *Plane) DetachVolume(ctx context.Context, id, volume string, force bool) (gone bool, err error) {
	err = p.withLock(ctx, id, "detach "+volume+" from", func() error {
		r, err := p.readRecord(id)
		if errors.Is(err, ErrNotFound) {
			gone = true
			return nil
		}
		if err != nil {
			return err
		}
		at := slices.IndexFunc(r.Machine.Volumes, func(v Volume) bool { return v.ID == volume })
		if at < 0 {
			gone = true
			return nil
		}
		if gone, err = p.detachVolume(r.Machine, r.Machine.Volumes[at], force); err != nil || !gone {
			return err
		}
		r.Machine.Volumes = slices.Delete(r.Machine.Volumes, at, at+1)
		return p.writeRecord(r)
	})
	return gone, err
}

// attachVolume makes a volume's file a block device and creates its node in the machine.
func (p *Plane) attachVolume(m Machine, v Volume) error {
	var number uint64
	if err := p.onStage(func(node string) (err error) {
		number, err = disk.Attach(v.File, node)
		return err
	}); err != nil {
		return err
	}
	if err := p.cgroup(m.ID).limitDisk(deviceNumbered(number), v.Rate); err != nil {
		return err
	}
	return p.showVolume(m, v, number)
}

// showVolume creates the node of a volume's device, and links to it, in the machine's /dev.
func (p *Plane) showVolume(m Machine, v Volume, number uint64) error {
	node := p.volumeNode(m.ID, v)
	if !exists(node) {
		// A machine's root does not own the node, so that it cannot lift a revocation.
		if err := makeNode(node, unix.S_IFBLK, number, int(m.UIDBase), 0o660); err != nil {
			return err
		}
	}
	folder, err := os.OpenRoot(p.devices(m.ID))
	if err != nil {
		return fmt.Errorf("open the machine's devices: %w", err)
	}
	defer func() { _ = folder.Close() }()
	if err := folder.Link(path.Join(nodesFolder, v.ID), path.Join(devFolder, v.device())); err != nil &&
		!errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("create the volume's device: %w", err)
	}
	for _, in := range []string{linksFolder, devFolder} {
		if err := linkVolume(folder, in, v, int(m.UIDBase)); err != nil {
			return fmt.Errorf("link the volume's device: %w", err)
		}
	}
	return nil
}

// linkVolume creates the links to a volume's device in a folder of the device folder. The machine
// can change /dev meanwhile, so that nothing here follows a link out of the folder.
func linkVolume(devices *os.Root, in string, v Volume, owner int) error {
	folder, err := devices.OpenRoot(in)
	if err != nil {
		return err
	}
	defer func() { _ = folder.Close() }()
	for name, target := range v.links() {
		dir := path.Dir(name)
		for i := range strings.Count(name, "/") {
			parent := path.Join(strings.Split(dir, "/")[:i+1]...)
			if err := folder.Mkdir(parent, 0o755); errors.Is(err, fs.ErrExist) {
				continue
			} else if err != nil {
				return err
			}
			if err := folder.Lchown(parent, owner, owner); err != nil {
				return err
			}
		}
		if err := folder.Symlink(target, name); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// detachVolume undoes attachVolume, and reports whether it is done.
func (p *Plane) detachVolume(m Machine, v Volume, force bool) (gone bool, err error) {
	if err := p.hideVolume(m.ID, v); err != nil {
		return false, err
	}
	if err := p.onStage(func(node string) error {
		gone, err = disk.Detach(v.File, node, force)
		return err
	}); err != nil || !gone {
		return false, err
	}
	node := p.volumeNode(m.ID, v)
	var stat unix.Stat_t
	if unix.Lstat(node, &stat) != nil { // the machine is off
		return true, nil
	}
	if err := p.cgroup(m.ID).limitDisk(deviceNumbered(stat.Rdev), DiskRate{}); err != nil {
		return false, err
	}
	return true, os.Remove(node)
}

// hideVolume revokes the node of a volume's device and removes it from the machine's /dev.
//
// Later the kernel gives the device's number to another file, perhaps another machine's disk. A
// machine can keep the node although it has no name: bound elsewhere, or by a descriptor
// (open(2), O_PATH). All of these are the same inode. Nobody in the machine may open it any
// more, because its owner and its group do not exist there.
func (p *Plane) hideVolume(id string, v Volume) error {
	node := p.volumeNode(id, v)
	if !exists(node) {
		return nil
	}
	if err := errors.Join(os.Lchown(node, 0, 0), os.Chmod(node, 0)); err != nil {
		return fmt.Errorf("revoke the volume's device: %w", err)
	}
	folder, err := os.OpenRoot(p.devices(id))
	if err != nil {
		return fmt.Errorf("open the machine's devices: %w", err)
	}
	defer func() { _ = folder.Close() }()
	for _, in := range []string{devFolder, linksFolder} {
		root, err := folder.OpenRoot(in)
		if err != nil {
			return fmt.Errorf("open the machine's devices: %w", err)
		}
		for name, target := range v.links() {
			if found, err := root.Readlink(name); err == nil && found == target {
				_ = root.Remove(name) // the machine may remove it first
			}
		}
		_ = root.Remove(v.device())
		_ = root.Close()
	}
	return nil
}

// attachVolumes attaches all volumes of the machine.
func (p *Plane) attachVolumes(m Machine) error {
	for _, v := range m.Volumes {
		if err := p.attachVolume(m, v); err != nil {
			return fmt.Errorf("attach %s: %w", v.ID, err)
		}
	}
	return nil
}

// detachVolumes detaches all volumes from a machine of which no process is left. They remain in
// its record.
func (p *Plane) detachVolumes(id string) error {
	r, err := p.readRecord(id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := p.cgroup(id).freeDisks(nil); err != nil {
		return err
	}
	for _, v := range r.Machine.Volumes {
		// Nobody in the machine has it open, but perhaps a program of the host looks at it.
		if _, err := p.detachVolume(r.Machine, v, false); err != nil {
			return fmt.Errorf("detach %s: %w", v.ID, err)
		}
	}
	return nil
}

// CopyVolume calls do, which copies the file of a volume that a machine may have: the file then
// has all that programs have written to the device, and nothing changes it.
func (p *Plane) CopyVolume(ctx context.Context, id, volume string, do func(ctx context.Context) error) error {
	return p.withLock(ctx, id, "copy "+volume+" of", func() error {
		r, err := p.readRecord(id)
		at := slices.IndexFunc(r.Machine.Volumes, func(v Volume) bool { return v.ID == volume })
		if err != nil || at < 0 || p.Status(id).State != Running {
			return do(ctx)
		}
		return p.whileFrozen(ctx, id, func() error {
			sync := func(node string) error { return disk.Sync(r.Machine.Volumes[at].File, node) }
			if err := p.onStage(sync); err != nil {
				return err
			}
			return do(ctx)
		})
	})
}

// ResizeVolume gives the device of a volume the size that its file has got.
func (p *Plane) ResizeVolume(file string) error {
	return p.onStage(func(node string) error { return disk.Resize(file, node) })
}

// onStage calls do with a path at which it can create a device node, in a mount namespace of
// its own.
func (p *Plane) onStage(do func(node string) error) error {
	return thread.RunDisposable(func() error {
		if err := enterPrivateMounts(); err != nil {
			return err
		}
		if err := mountStage(p.config.RunDir); err != nil {
			return err
		}
		return do(filepath.Join(p.config.RunDir, "device"))
	})
}

// volumeDevices returns the devices of the machine's volumes.
func (p *Plane) volumeDevices(id string) []device {
	nodes, err := os.ReadDir(filepath.Join(p.devices(id), nodesFolder))
	if err != nil {
		return nil // it has none
	}
	var devices []device
	for _, node := range nodes {
		var stat unix.Stat_t
		if unix.Lstat(filepath.Join(p.devices(id), nodesFolder, node.Name()), &stat) == nil {
			devices = append(devices, deviceNumbered(stat.Rdev))
		}
	}
	return devices
}

func (p *Plane) devices(id string) string { return filepath.Join(p.runDir(id), "devices") }

func (p *Plane) volumeNode(id string, v Volume) string {
	return filepath.Join(p.devices(id), nodesFolder, v.ID)
}
