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

	"aloft.dev/aloft/internal/cloud/plane/thread"
)

// Magic numbers of filesystems (statfs(2)).
const (
	overlayMagic = 0x794c7630
	nsfsMagic    = 0x6e736673
)

// filesystem is a root filesystem to mount: layers and a writable folder, their
// owners shifted into the machine's user namespace by idmapped mounts
// (mount_setattr(2)), so that no file is ever chowned.
type filesystem struct {
	layers        []string // bottom first
	disk          string   // has the folders upper and work
	userNamespace int      // file descriptor of the machine's user namespace
	owner         uint32   // user id of the machine's root on the host
	target        string
}

// mount mounts the filesystem at its target in the mount namespace of the host.
// What it needs on the way lives in a mount namespace of the thread's own and is
// gone with it, even when the daemon is killed in the middle.
func (f filesystem) mount() error {
	host, err := unix.Open("/proc/thread-self/ns/mnt", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open the mount namespace: %w", err)
	}
	defer func() { _ = unix.Close(host) }()
	return thread.RunDisposable(func() error { return f.mountInOwnNamespace(host) })
}

func (f filesystem) mountInOwnNamespace(host int) error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("unshare mounts: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	stage := f.target // covered here, in this thread's namespace only
	if err := unix.Mount("aloft", stage, "tmpfs", 0, "mode=700"); err != nil {
		return fmt.Errorf("mount a staging area: %w", err)
	}
	for _, dir := range []string{"w", "root"} {
		if err := os.Mkdir(filepath.Join(stage, dir), 0o700); err != nil {
			return err
		}
	}
	var lower []string
	for i, layer := range f.layers {
		short := strconv.Itoa(i) // mount options hold 4096 bytes: many layers need short names
		if err := f.mountIDMapped(layer, filepath.Join(stage, short)); err != nil {
			return err
		}
		lower = append([]string{short}, lower...)
	}
	if err := f.mountIDMapped(f.disk, filepath.Join(stage, "w")); err != nil {
		return err
	}
	if err := unix.Chdir(stage); err != nil {
		return fmt.Errorf("enter the staging area: %w", err)
	}
	// overlayfs works with the credentials of who mounts it, and only users of the
	// machine can own files on a shifted folder.
	if err := assumeUser(f.owner); err != nil {
		return err
	}
	// Renames of folders must work as on any disk: npm renames folders that an
	// image brought. Without redirect_dir the kernel refuses them (EXDEV).
	options := "lowerdir=" + strings.Join(
		lower,
		":",
	) + ",upperdir=w/upper,workdir=w/work,redirect_dir=on,index=off,metacopy=off"
	if err := unix.Mount("aloft", "root", "overlay", 0, options); err != nil {
		return fmt.Errorf("mount overlay of %d layers: %w", len(lower), err)
	}
	tree, err := unix.OpenTree(unix.AT_FDCWD, "root", unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return fmt.Errorf("detach overlay: %w", err)
	}
	defer func() { _ = unix.Close(tree) }()
	if err := unix.Setns(host, unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("return to the host's mounts: %w", err)
	}
	if err := unix.MoveMount(tree, "", unix.AT_FDCWD, f.target, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return fmt.Errorf("mount at %s: %w", f.target, err)
	}
	return nil
}

// mountIDMapped mounts dir at target with its owners shifted.
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

// mountedAs tells whether what is mounted at path is of the given kind.
func mountedAs(path string, magic int64) bool {
	var s unix.Statfs_t
	return unix.Statfs(path, &s) == nil && int64(s.Type) == magic
}

// pinNamespace keeps the namespace in file alive and reachable at path.
func pinNamespace(file, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o600)
	if err != nil {
		return fmt.Errorf("pin a namespace: %w", err)
	}
	_ = f.Close()
	if err := unix.Mount(file, path, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("pin %s at %s: %w", file, path, err)
	}
	return nil
}

// unmount undoes all mounts at path; there may be none.
func unmount(path string) error {
	for {
		err := unix.Unmount(path, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
		if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("unmount %s: %w", path, err)
		}
	}
}

// makePrivate makes dir a mount of its own, if it is none, whose mounts spread to no
// other namespace.
func makePrivate(dir string) error {
	mounted, err := isMount(dir)
	if err != nil {
		return err
	}
	if !mounted {
		if err := unix.Mount(dir, dir, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("bind %s: %w", dir, err)
		}
	}
	if err := unix.Mount("", dir, "", unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make the mounts in %s private: %w", dir, err)
	}
	return nil
}

// isMount tells whether path is the root of a mount (statx(2), STATX_ATTR_MOUNT_ROOT).
func isMount(path string) (bool, error) {
	var s unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_BASIC_STATS, &s); err != nil {
		return false, fmt.Errorf("look at %s: %w", path, err)
	}
	return s.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0, nil
}
