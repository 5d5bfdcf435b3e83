//go:build linux

package machine

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// enterRoot mounts the kernel's filesystems in order.Root and makes it the root directory.
// The sizes of /run and /dev/shm are those that systemd gives them, but of the machine's memory
// and not the host's: a fifth and a half. Who fills them gets an error instead of the OOM killer.
func enterRoot(order bootOrder) error {
	const strict = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	root, dev := order.Root, filepath.Join(order.Devices, devFolder)
	if err := resetDevices(order.Devices); err != nil {
		return err
	}
	runSize := fmt.Sprintf("mode=755,size=%dk", order.MemoryMiB<<10/5)
	mounts := []struct {
		source, target, kind string
		flags                uintptr
		data                 string
	}{
		{"", "/", "", unix.MS_REC | unix.MS_PRIVATE, ""},
		{root, root, "", unix.MS_BIND, ""},
		{"proc", root + "/proc", "proc", strict, ""},
		{"sysfs", root + "/sys", "sysfs", strict | unix.MS_RDONLY, ""},
		{"cgroup2", root + "/sys/fs/cgroup", "cgroup2", strict, ""},
		{"tmpfs", root + "/run", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, runSize},
		{dev, root + "/dev", "", unix.MS_BIND, ""},
	}
	for _, m := range mounts {
		if err := unix.Mount(m.source, m.target, m.kind, m.flags, m.data); err != nil {
			return fmt.Errorf("mount %s on %s: %w", m.source+m.kind, m.target, err)
		}
	}
	if err := createDevices(filepath.Join(root, "dev"), order.Console); err != nil {
		return err
	}
	shared := root + "/dev/shm"
	if err := os.Mkdir(shared, 0o755); err != nil {
		return fmt.Errorf("create /dev: %w", err)
	}
	size := fmt.Sprintf("mode=1777,size=%dk", order.MemoryMiB<<10/2)
	if err := unix.Mount("tmpfs", shared, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, size); err != nil {
		return fmt.Errorf("mount /dev/shm: %w", err)
	}
	if order.Authorities != "" {
		if err := bindFile(order.Authorities, root+authoritiesFile); err != nil {
			return err
		}
	}
	return pivotRoot(root)
}

// pivotRoot makes root the root directory and detaches the host's.
func pivotRoot(root string) error {
	if err := unix.Chdir(root); err != nil {
		return fmt.Errorf("enter %s: %w", root, err)
	}
	// This mounts the old root on top of the new one, from where it is unmounted
	// (pivot_root(2), "pivot_root(\".\", \".\")").
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot_root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount the host's files: %w", err)
	}
	if err := unix.Chdir("/"); err != nil {
		return fmt.Errorf("enter the root directory: %w", err)
	}
	// systemd.io/CONTAINER_INTERFACE requires shared mounts.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""); err != nil {
		return fmt.Errorf("share the machine's mounts: %w", err)
	}
	return nil
}
