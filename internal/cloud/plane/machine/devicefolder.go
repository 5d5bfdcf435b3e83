//go:build linux

package machine

import (
	"fmt"
	"os"
	"path"
	"path/filepath"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/thread"
)

// A machine's device folder is a filesystem in memory whose device nodes the host creates,
// because a user namespace cannot. It has three folders.
const (
	devFolder   = "dev"   // the machine's /dev; the machine's root owns it, but not the nodes
	nodesFolder = "nodes" // a second name of each volume's node, by the volume's id; the host's alone
	linksFolder = "links" // the links to volumes that /dev has from each boot on
)

// deviceFolderOptions are for a folder that the machine writes to: nodes, links, and what
// systemd creates in /dev.
const deviceFolderOptions = "mode=755,size=64k,nr_inodes=4k"

// fuseDevice is the device by which programs serve filesystems, and its number
// (Documentation/admin-guide/devices.txt).
const (
	fuseDevice = "fuse"
	fuseMajor  = 10
	fuseMinor  = 229
)

// mountDevices mounts the machine's device folder twice: in the launcher's mount namespace, which
// the machine's namespace copies, and on the host, where nothing in it is a device.
func (p *Plane) mountDevices(id string, owner uint32, launcher int) error {
	host, err := unix.Open("/proc/thread-self/ns/mnt", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open the mount namespace: %w", err)
	}
	defer func() { _ = unix.Close(host) }()
	target := p.devices(id)
	if err := os.Mkdir(target, 0o755); err != nil {
		return fmt.Errorf("mount devices: %w", err)
	}
	return thread.RunDisposable(func() error {
		if err := enterPrivateMounts(); err != nil {
			return err
		}
		if err := unix.Mount("aloft", target, "tmpfs", 0, deviceFolderOptions); err != nil {
			return fmt.Errorf("mount devices: %w", err)
		}
		if err := fillDeviceFolder(target, owner); err != nil {
			return err
		}
		const safe = unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NOEXEC
		inert, err := detachedCopy(target, safe|unix.MOUNT_ATTR_NODEV)
		if err != nil {
			return err
		}
		defer func() { _ = unix.Close(inert) }()
		full, err := detachedCopy(target, safe)
		if err != nil {
			return err
		}
		defer func() { _ = unix.Close(full) }()
		if err := moveTo(launcher, full, target); err != nil {
			return err
		}
		return moveTo(host, inert, target)
	})
}

func fillDeviceFolder(folder string, owner uint32) error {
	for name, mode := range map[string]os.FileMode{devFolder: 0o755, nodesFolder: 0o700, linksFolder: 0o755} {
		if err := os.Mkdir(filepath.Join(folder, name), mode); err != nil {
			return fmt.Errorf("create devices: %w", err)
		}
	}
	dev := filepath.Join(folder, devFolder)
	if err := os.Chown(dev, int(owner), int(owner)); err != nil {
		return fmt.Errorf("create devices: %w", err)
	}
	return makeNode(filepath.Join(dev, fuseDevice), unix.S_IFCHR, unix.Mkdev(fuseMajor, fuseMinor), 0, 0o666)
}

// makeNode creates a device node that belongs to the host's root and a group.
func makeNode(path string, kind uint32, device uint64, group int, mode os.FileMode) error {
	if err := unix.Mknod(path, kind, int(device)); err != nil {
		return fmt.Errorf("create the device %s: %w", path, err)
	}
	if err := os.Lchown(path, 0, group); err != nil {
		return fmt.Errorf("create the device %s: %w", path, err)
	}
	if err := os.Chmod(path, mode); err != nil { // regardless of the umask
		return fmt.Errorf("create the device %s: %w", path, err)
	}
	return nil
}

// resetDevices brings the /dev that an earlier boot left in a device folder to its first state,
// before anything else runs in the machine: devices, and links to volumes.
func resetDevices(folder string) error {
	dev := filepath.Join(folder, devFolder)
	entries, err := os.ReadDir(dev)
	if err != nil {
		return fmt.Errorf("reset /dev: %w", err)
	}
	for _, entry := range entries {
		own, _ := path.Match("nvme*n1", entry.Name())
		if entry.Type()&os.ModeDevice != 0 && (own || entry.Name() == fuseDevice) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dev, entry.Name())); err != nil {
			return fmt.Errorf("reset /dev: %w", err)
		}
	}
	if err := os.CopyFS(dev, os.DirFS(filepath.Join(folder, linksFolder))); err != nil {
		return fmt.Errorf("link volumes in /dev: %w", err)
	}
	return nil
}
