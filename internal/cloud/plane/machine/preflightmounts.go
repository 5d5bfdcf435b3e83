//go:build linux

package machine

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/thread"
)

// checkProc mounts what a machine mounts, in namespaces that disappear at once. The kernel
// lets a user namespace mount /proc and /sys only where all of them is visible already;
// containers hide parts.
func checkProc(string) *Problem {
	script := "mount -t proc proc /proc && mount -t sysfs -o ro sysfs /sys && mount -t cgroup2 cgroup2 /sys/fs/cgroup"
	cmd := exec.Command("sh", "-c", script)
	cmd.SysProcAttr = newNamespaces(syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS |
		syscall.CLONE_NEWNET | syscall.CLONE_NEWCGROUP)
	if out, err := cmd.CombinedOutput(); err != nil {
		what := fmt.Sprintf("A user namespace cannot mount /proc, /sys and cgroups: %v %s", err, bytes.TrimSpace(out))
		return &Problem{what, hostRemedy}
	}
	return nil
}

// newNamespaces returns attributes that make a process root of new namespaces. flags must
// include CLONE_NEWUSER.
func newNamespaces(flags uintptr) *syscall.SysProcAttr {
	idMap := []syscall.SysProcIDMap{{ContainerID: 0, HostID: idsPerMachine, Size: idsPerMachine}}
	return &syscall.SysProcAttr{
		Cloneflags: flags, UidMappings: idMap, GidMappings: idMap, GidMappingsEnableSetgroups: true,
		Credential: &syscall.Credential{Uid: 0, Gid: 0},
	}
}

// checkOverlay mounts an overlay in a private mount namespace.
func checkOverlay(string) *Problem {
	err := thread.RunDisposable(func() error {
		if err := enterPrivateMounts(); err != nil {
			return err
		}
		if err := unix.Mount("aloft", "/tmp", "tmpfs", 0, ""); err != nil {
			return err
		}
		for _, name := range []string{"lower", "upper", "work", "root"} {
			if err := os.Mkdir("/tmp/"+name, 0o700); err != nil {
				return err
			}
		}
		options := "lowerdir=/tmp/lower,upperdir=/tmp/upper,workdir=/tmp/work,redirect_dir=on"
		return unix.Mount("aloft", "/tmp/root", "overlay", 0, options)
	})
	if err != nil {
		return &Problem{
			"overlayfs does not work: " + err.Error(),
			"modprobe overlay; in a container, " + strings.ToLower(hostRemedy[:1]) + hostRemedy[1:],
		}
	}
	return nil
}

// checkIDMapping requires a filesystem below dir that supports ID-mapped mounts.
func checkIDMapping(dir string) *Problem {
	for {
		_, err := os.Stat(dir)
		if err == nil || !errors.Is(err, fs.ErrNotExist) || dir == "/" {
			break
		}
		dir = filepath.Dir(dir)
	}
	if err := tryIDMapping(dir); err != nil {
		var s unix.Statfs_t
		_ = unix.Statfs(dir, &s) // for the message only
		return &Problem{
			fmt.Sprintf("The filesystem of %s (type %#x) cannot hold machines' disks: %v.", dir, s.Type, err),
			"Use a state directory on ext4, xfs or btrfs (--state-dir).",
		}
	}
	return nil
}

// tryIDMapping creates an ID-mapped mount of dir without attaching it anywhere.
func tryIDMapping(dir string) error {
	// A user namespace needs a process in it. This one exits at the end of its input.
	cmd := exec.Command("cat")
	cmd.SysProcAttr = newNamespaces(syscall.CLONE_NEWUSER)
	input, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("open a pipe: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("create a user namespace: %w", err)
	}
	defer func() { _ = input.Close(); _ = cmd.Wait() }()
	path := fmt.Sprintf("/proc/%d/ns/user", cmd.Process.Pid)
	userNamespace, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open a user namespace: %w", err)
	}
	defer func() { _ = unix.Close(userNamespace) }()
	tree, err := unix.OpenTree(unix.AT_FDCWD, dir, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return fmt.Errorf("open %s: %w", dir, err)
	}
	defer func() { _ = unix.Close(tree) }()
	attr := &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(userNamespace)}
	return unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH, attr)
}
