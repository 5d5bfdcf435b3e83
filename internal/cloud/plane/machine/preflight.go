package machine

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/thread"
)

// Problem is why machines cannot run on this host, and what to do about it.
type Problem struct{ What, Remedy string }

// Preflight looks for all that stands in the way of machines whose disks are to be
// in dir, which need not exist yet. It changes nothing on the host.
func Preflight(dir string) []Problem {
	if os.Geteuid() != 0 {
		return []Problem{
			{"Machines need root: namespaces with users of their own, mounts and cgroups.", "Run it with sudo."},
		}
	}
	var found []Problem
	for _, check := range []func(dir string) *Problem{
		checkCapabilities, checkKernel, checkUserNamespaces, checkCgroups, checkProc, checkTerminals, checkExecutable,
		checkMmdebstrap, checkOverlay, checkIDMapping,
	} {
		if problem := check(dir); problem != nil {
			found = append(found, *problem)
		}
	}
	return found
}

const hostRemedy = "Run it on the machine itself or in a virtual machine, or give the container all privileges " +
	"(docker run --privileged --cgroupns=host)."

func checkCapabilities(string) *Problem {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return &Problem{"/proc cannot be read: " + err.Error(), hostRemedy}
	}
	_, after, _ := strings.Cut(string(data), "CapEff:")
	effective, err := strconv.ParseUint(strings.Fields(after + " ?")[0], 16, 64)
	if err != nil {
		return &Problem{"The capabilities of this process cannot be read.", hostRemedy}
	}
	var missing []string
	for name, bit := range map[string]uint{
		"CAP_SYS_ADMIN": unix.CAP_SYS_ADMIN, "CAP_NET_ADMIN": unix.CAP_NET_ADMIN, "CAP_SETUID": unix.CAP_SETUID,
		"CAP_SETGID": unix.CAP_SETGID,
		"CAP_CHOWN":  unix.CAP_CHOWN, "CAP_DAC_OVERRIDE": unix.CAP_DAC_OVERRIDE, "CAP_FOWNER": unix.CAP_FOWNER,
		"CAP_KILL":  unix.CAP_KILL,
		"CAP_MKNOD": unix.CAP_MKNOD, "CAP_SYS_CHROOT": unix.CAP_SYS_CHROOT, "CAP_SYS_PTRACE": unix.CAP_SYS_PTRACE,
	} {
		if effective&(1<<bit) == 0 {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return &Problem{"Root lacks " + strings.Join(missing, ", ") + " here.", hostRemedy}
}

// checkKernel asks for Linux 5.19, the first in which overlayfs works on shifted
// layers.
func checkKernel(string) *Problem {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return &Problem{"The kernel does not tell its version: " + err.Error(), hostRemedy}
	}
	release := unix.ByteSliceToString(name.Release[:])
	var major, minor int
	_, err := fmt.Sscanf(release, "%d.%d", &major, &minor)
	if err == nil && (major > 5 || major == 5 && minor >= 19) {
		return nil
	}
	return &Problem{
		"The kernel is Linux " + release + "; machines need 5.19 or later.",
		"Use a newer system, such as Debian 12 or Ubuntu 24.04.",
	}
}

func checkUserNamespaces(string) *Problem {
	data, err := os.ReadFile("/proc/sys/user/max_user_namespaces")
	if err == nil && strings.TrimSpace(string(data)) != "0" {
		return nil
	}
	return &Problem{"User namespaces are switched off.", "sysctl -w user.max_user_namespaces=10000"}
}

func checkCgroups(string) *Problem {
	h, err := findHierarchies()
	if err != nil {
		return &Problem{
			"There is no cgroup version 2 hierarchy.",
			"mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified, or boot with systemd.unified_cgroup_hierarchy=1.",
		}
	}
	offered, err := os.ReadFile(filepath.Join(h.v2, "cgroup.controllers"))
	if err != nil {
		return &Problem{"The cgroups cannot be read: " + err.Error(), hostRemedy}
	}
	for _, controller := range controllers {
		if h.v1[controller] == "" && !slices.Contains(strings.Fields(string(offered)), controller) {
			return &Problem{"There is no " + controller + " cgroup controller.", hostRemedy}
		}
	}
	if err := unix.Access(h.v2, unix.W_OK); err != nil {
		return &Problem{"The cgroups are read-only: " + err.Error(), hostRemedy}
	}
	return nil
}

// checkProc mounts what a machine mounts, in namespaces that are gone at once. The
// kernel lets a user namespace mount /proc and /sys only where all of them can be
// seen already; containers hide parts.
func checkProc(string) *Problem {
	cmd := exec.Command(
		"sh",
		"-c",
		"mount -t proc proc /proc && mount -t sysfs -o ro sysfs /sys && mount -t cgroup2 cgroup2 /sys/fs/cgroup",
	)
	cmd.SysProcAttr = newNamespaces(
		syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWCGROUP,
	)
	if out, err := cmd.CombinedOutput(); err != nil {
		return &Problem{
			fmt.Sprintf("A user namespace cannot mount /proc, /sys and cgroups: %v %s", err, bytes.TrimSpace(out)),
			hostRemedy,
		}
	}
	return nil
}

// newNamespaces makes a process root of new namespaces, a user namespace among them.
func newNamespaces(flags uintptr) *syscall.SysProcAttr {
	maps := []syscall.SysProcIDMap{{ContainerID: 0, HostID: idsPerMachine, Size: idsPerMachine}}
	return &syscall.SysProcAttr{
		Cloneflags: flags, UidMappings: maps, GidMappings: maps, GidMappingsEnableSetgroups: true,
		Credential: &syscall.Credential{Uid: 0, Gid: 0},
	}
}

func checkTerminals(string) *Problem {
	f, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return &Problem{
			"No terminal can be opened: " + err.Error(),
			"mount -t devpts devpts /dev/pts, and see that /dev/ptmx may be used by all (mode 666).",
		}
	}
	_ = f.Close()
	return nil
}

// checkExecutable: launchers run this very program as nobody.
func checkExecutable(string) *Problem {
	info, err := os.Stat("/proc/self/exe")
	if err == nil && info.Mode()&0o001 != 0 {
		return nil
	}
	path, _ := os.Readlink("/proc/self/exe") // if only for the message
	return &Problem{"Only its owner may execute " + path + ".", "chmod 755 " + path}
}

func checkMmdebstrap(string) *Problem {
	if _, err := exec.LookPath("mmdebstrap"); err != nil {
		return &Problem{
			"mmdebstrap, which builds the machines' Debian, is not installed.",
			"apt-get install mmdebstrap debian-archive-keyring",
		}
	}
	return nil
}

// checkOverlay mounts an overlay where nobody sees it.
func checkOverlay(string) *Problem {
	err := thread.RunDisposable(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
			return err
		}
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
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
		return unix.Mount(
			"aloft",
			"/tmp/root",
			"overlay",
			0,
			"lowerdir=/tmp/lower,upperdir=/tmp/upper,workdir=/tmp/work,redirect_dir=on",
		)
	})
	if err != nil {
		return &Problem{
			"overlayfs does not work: " + err.Error(),
			"modprobe overlay; in a container, " + strings.ToLower(hostRemedy[:1]) + hostRemedy[1:],
		}
	}
	return nil
}

// checkIDMapping tries to shift the owners of files on the filesystem of dir. The
// shifted mount is never attached anywhere.
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
		_ = unix.Statfs(dir, &s) // if only for the message
		return &Problem{
			fmt.Sprintf("The filesystem of %s (type %#x) cannot hold machines' disks: %v.", dir, s.Type, err),
			"Use a state folder on ext4, xfs or btrfs (--state-dir).",
		}
	}
	return nil
}

func tryIDMapping(dir string) error {
	// A user namespace needs a process in it; this one waits for the end of its input.
	cmd := exec.Command("cat")
	cmd.SysProcAttr = newNamespaces(syscall.CLONE_NEWUSER)
	input, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("open a pipe: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("make a user namespace: %w", err)
	}
	defer func() { _ = input.Close(); _ = cmd.Wait() }()
	users, err := unix.Open(fmt.Sprintf("/proc/%d/ns/user", cmd.Process.Pid), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open a user namespace: %w", err)
	}
	defer func() { _ = unix.Close(users) }()
	tree, err := unix.OpenTree(unix.AT_FDCWD, dir, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return fmt.Errorf("open %s: %w", dir, err)
	}
	defer func() { _ = unix.Close(tree) }()
	return unix.MountSetattr(
		tree, "", unix.AT_EMPTY_PATH, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(users)},
	)
}
