//go:build linux

package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/disk"
	"aloft.dev/aloft/internal/cloud/plane/thread"
)

// filesystem is a root filesystem to mount: an overlay of layers and a writable disk.
// ID-mapped mounts (mount_setattr(2)) shift the owners of files into the machine's user
// namespace, so that no file needs a chown.
type filesystem struct {
	layers        []string // bottom first: directories, and disks of machines
	disk          string   // the machine's own
	userNamespace int      // file descriptor of the machine's user namespace
	launcher      int      // file descriptor of the launcher's mount namespace
	owner         uint32   // user id of the machine's root on the host
	target        string
}

// Directories of a disk, for overlayfs. When the disk is a layer, upperDir has its files.
const (
	upperDir = "upper"
	workDir  = "work"
)

// mount mounts the filesystem at its target, twice. In the host's mount namespace nothing on it
// has a set-user-ID bit or is a device: a local user who could reach it there would get the
// machine's user ids otherwise. In the launcher's, which the machine's own is a copy of,
// set-user-ID programs such as sudo work. All intermediate mounts exist in a mount namespace of
// a disposable thread, and disappear with it even if the daemon is killed half way. It returns
// the number of the disk's device.
func (f filesystem) mount() (disk uint64, err error) {
	host, err := unix.Open("/proc/thread-self/ns/mnt", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("open the mount namespace: %w", err)
	}
	defer func() { _ = unix.Close(host) }()
	err = thread.RunDisposable(func() error {
		if err := enterPrivateMounts(); err != nil {
			return err
		}
		if disk, err = f.mountOverlay(); err != nil {
			return err
		}
		inert, err := detachedCopy("root", unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV)
		if err != nil {
			return err
		}
		defer func() { _ = unix.Close(inert) }()
		full, err := detachedCopy("root", unix.MOUNT_ATTR_NODEV)
		if err != nil {
			return err
		}
		defer func() { _ = unix.Close(full) }()
		// The mount on the host comes last: it shows that the other is there too.
		if err := moveTo(f.launcher, full, f.target); err != nil || sameFile(host, f.launcher) {
			return err // a launcher of an earlier version has the host's mounts
		}
		return moveTo(host, inert, f.target)
	})
	return disk, err
}

// sameFile reports whether two descriptors are of the same file.
func sameFile(a, b int) bool {
	var first, second unix.Stat_t
	return unix.Fstat(a, &first) == nil && unix.Fstat(b, &second) == nil &&
		first.Dev == second.Dev && first.Ino == second.Ino
}

// detachedCopy returns a copy of the mount at path that is mounted nowhere, with the attributes
// set (mount_setattr(2)).
func detachedCopy(path string, attributes uint64) (tree int, err error) {
	tree, err = unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return 0, fmt.Errorf("detach a mount: %w", err)
	}
	attr := &unix.MountAttr{Attr_set: attributes}
	if err := unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH, attr); err != nil {
		return 0, errors.Join(fmt.Errorf("restrict a mount: %w", err), unix.Close(tree))
	}
	return tree, nil
}

// moveTo mounts a detached mount at target in a mount namespace, which the thread enters.
func moveTo(namespace, tree int, target string) error {
	if err := unix.Setns(namespace, unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("enter a mount namespace: %w", err)
	}
	if err := unix.MoveMount(tree, "", unix.AT_FDCWD, target, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return fmt.Errorf("mount at %s: %w", target, err)
	}
	return nil
}

// mountOverlay mounts the overlay in the thread's private mount namespace, at root below the
// thread's working directory, and returns the number of the disk's device. It switches the
// thread to the machine's user.
func (f filesystem) mountOverlay() (disk uint64, err error) {
	stage := f.target // hidden by the staging area in this thread's namespace only
	if err := mountStage(stage); err != nil {
		return 0, err
	}
	if err := os.Mkdir(filepath.Join(stage, "root"), 0o700); err != nil {
		return 0, err
	}
	lower, err := f.mountLayers(stage)
	if err != nil {
		return 0, err
	}
	if disk, err = f.mountDisk(stage); err != nil {
		return 0, err
	}
	if err := unix.Chdir(stage); err != nil {
		return 0, fmt.Errorf("enter the staging area: %w", err)
	}
	// overlayfs acts with the credentials of the process that mounted it, and only users of
	// the machine can own files on an ID-mapped mount.
	if err := assumeUser(f.owner); err != nil {
		return 0, err
	}
	// Directories of the image must be renameable as on any disk: npm renames them. Without
	// redirect_dir the kernel refuses (EXDEV). All files have the same device number, as on
	// one disk, if the layers' filesystems allow it (xino).
	options := "lowerdir=" + strings.Join(lower, ":") +
		",upperdir=w/" + upperDir + ",workdir=w/" + workDir + ",redirect_dir=on,index=off,metacopy=off,xino=auto"
	if err := unix.Mount("aloft", "root", "overlay", unix.MS_NODEV, options); err != nil {
		return 0, fmt.Errorf("mount overlay of %d layers: %w", len(lower), err)
	}
	return disk, nil
}

// mountStage hides dir, in the thread's private mount namespace, behind an empty staging area.
func mountStage(dir string) error {
	if err := unix.Mount("aloft", dir, "tmpfs", 0, "mode=700"); err != nil {
		return fmt.Errorf("mount a staging area: %w", err)
	}
	return nil
}

// mountLayers mounts the layers below stage. It returns the names of their mounts there, top
// first.
func (f filesystem) mountLayers(stage string) (lower []string, err error) {
	for i, layer := range f.layers {
		short := strconv.Itoa(i) // mount options are limited to 4096 bytes: many layers need short names
		if disk.Is(layer) {
			mounted := filepath.Join(stage, "layer"+short)
			if err := disk.Mount(layer, mounted, true); err != nil {
				return nil, err
			}
			layer = filepath.Join(mounted, upperDir)
		}
		if err := f.mountIDMapped(layer, filepath.Join(stage, short)); err != nil {
			return nil, err
		}
		lower = append([]string{short}, lower...)
	}
	return lower, nil
}

// mountDisk mounts the machine's disk at w below stage, and returns the number of its device.
func (f filesystem) mountDisk(stage string) (number uint64, err error) {
	mounted := filepath.Join(stage, "disk")
	if err := disk.Mount(f.disk, mounted, false); err != nil {
		return 0, err
	}
	for _, dir := range []string{upperDir, workDir} {
		err := os.Mkdir(filepath.Join(mounted, dir), 0o755)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return 0, fmt.Errorf("fill a new disk: %w", err)
		}
	}
	if number, err = deviceOf(mounted); err != nil {
		return 0, err
	}
	return number, f.mountIDMapped(mounted, filepath.Join(stage, "w"))
}

// mountIDMapped mounts dir at target with its owners shifted into the machine's user
// namespace.
func (f filesystem) mountIDMapped(dir, target string) error {
	tree, err := unix.OpenTree(unix.AT_FDCWD, dir, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return fmt.Errorf("open layer %s: %w", dir, err)
	}
	defer func() { _ = unix.Close(tree) }()
	attr := &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(f.userNamespace)}
	if err := unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH, attr); err != nil {
		return fmt.Errorf("shift the owners of %s: %w", dir, err)
	}
	if err := os.Mkdir(target, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := unix.MoveMount(tree, "", unix.AT_FDCWD, target, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return fmt.Errorf("mount layer %s: %w", dir, err)
	}
	return nil
}
