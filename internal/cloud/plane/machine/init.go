package machine

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// bootOrder is what the launcher tells PID 1 of a machine.
type bootOrder struct {
	system
	Console string // path of the terminal that becomes /dev/console
}

// Descriptors that PID 1 inherits.
const (
	fdOrder   = 3 + iota // a bootOrder
	fdFailure            // takes what went wrong; closes when systemd takes over
	fdCgroup             // cgroup.procs of the machine's cgroup
)

// runInit turns this process, PID 1 of a new machine, into its systemd. It is
// root of the machine's user namespace and nothing on the host.
func runInit() error {
	for fd := fdOrder; fd <= fdCgroup; fd++ {
		unix.CloseOnExec(fd)
	}
	err := bootSystem()
	_, _ = fmt.Fprint(os.NewFile(fdFailure, "story"), err)
	return err
}

func bootSystem() error {
	var order bootOrder
	if err := json.NewDecoder(os.NewFile(fdOrder, "order")).Decode(&order); err != nil {
		return fmt.Errorf("read the boot order: %w", err)
	}
	// Below the machine's part of the cgroup, then a namespace with that part as
	// its root; the launcher had not entered it, so it could not clone one.
	if _, err := unix.Write(fdCgroup, []byte("0")); err != nil {
		return fmt.Errorf("enter cgroup: %w", err)
	}
	if err := unix.Unshare(unix.CLONE_NEWCGROUP); err != nil {
		return fmt.Errorf("unshare cgroups: %w", err)
	}
	// The launcher is spared when memory runs out; what runs here is not.
	if err := writeFile("/proc/self/oom_score_adj", "0"); err != nil {
		return fmt.Errorf("become killable: %w", err)
	}
	if err := unix.Sethostname([]byte(order.Hostname)); err != nil {
		return fmt.Errorf("set the host name: %w", err)
	}
	if err := enterRoot(order); err != nil {
		return err
	}
	if err := writeBootFiles(order); err != nil {
		return err
	}
	if err := assignIdentity(order); err != nil {
		return err
	}
	if err := dropPrivileges(); err != nil {
		return err
	}
	// systemd.io/CONTAINER_INTERFACE: how systemd knows where it runs.
	env := []string{"container=aloft", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=dumb"}
	if err := syscall.Exec("/sbin/init", []string{"/sbin/init"}, env); err != nil {
		return fmt.Errorf("exec /sbin/init: %w", err)
	}
	return nil
}

// enterRoot makes order.Root the root folder, with the kernel's filesystems in it.
func enterRoot(order bootOrder) error {
	root := order.Root
	steps := []struct {
		source, target, kind string
		flags                uintptr
		data                 string
	}{
		{"", "/", "", unix.MS_REC | unix.MS_PRIVATE, ""},
		{root, root, "", unix.MS_BIND, ""},
		{"proc", root + "/proc", "proc", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"sysfs", root + "/sys", "sysfs", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC | unix.MS_RDONLY, ""},
		{"cgroup2", root + "/sys/fs/cgroup", "cgroup2", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"tmpfs", root + "/run", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=755,size=20%"},
		{"tmpfs", root + "/dev", "tmpfs", unix.MS_NOSUID | unix.MS_NOEXEC, "mode=755,size=64k"},
	}
	for _, s := range steps {
		if err := unix.Mount(s.source, s.target, s.kind, s.flags, s.data); err != nil {
			return fmt.Errorf("mount %s on %s: %w", s.source+s.kind, s.target, err)
		}
	}
	if err := makeDevices(filepath.Join(root, "dev"), order.Console); err != nil {
		return err
	}
	if order.Authorities != "" {
		if err := bindFile(order.Authorities, root+authoritiesFile); err != nil {
			return err
		}
	}
	if err := unix.Chdir(root); err != nil {
		return fmt.Errorf("enter %s: %w", root, err)
	}
	// The old root lands on top of the new one and is taken off it
	// (pivot_root(2), "pivot_root(\".\", \".\")").
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot_root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leave the host's files: %w", err)
	}
	if err := unix.Chdir("/"); err != nil {
		return fmt.Errorf("enter the root folder: %w", err)
	}
	// As systemd.io/CONTAINER_INTERFACE asks.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""); err != nil {
		return fmt.Errorf("share mounts inside: %w", err)
	}
	return nil
}

// makeDevices fills /dev. A user namespace may not make device nodes: those of the
// host are bound, all harmless.
func makeDevices(dev, consolePath string) error {
	for _, name := range []string{"null", "zero", "full", "random", "urandom", "tty"} {
		if err := bindFile("/dev/"+name, filepath.Join(dev, name)); err != nil {
			return err
		}
	}
	if err := bindFile(consolePath, filepath.Join(dev, "console")); err != nil {
		return err
	}
	pts := filepath.Join(dev, "pts")
	if err := os.Mkdir(pts, 0o755); err != nil {
		return fmt.Errorf("make /dev: %w", err)
	}
	// Group 5 is tty on Debian.
	if err := unix.Mount(
		"devpts", pts, "devpts", unix.MS_NOSUID|unix.MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5",
	); err != nil {
		return fmt.Errorf("mount devpts: %w", err)
	}
	for name, target := range map[string]string{
		"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1",
		"stderr": "/proc/self/fd/2",
	} {
		if err := os.Symlink(target, filepath.Join(dev, name)); err != nil {
			return fmt.Errorf("make /dev: %w", err)
		}
	}
	return nil
}

// bindFile makes the host's file source visible at target.
func bindFile(source, target string) error {
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return fmt.Errorf("bind %s: %w", source, err)
	}
	f, err := os.OpenFile(target, os.O_CREATE|os.O_RDONLY, 0o644)
	if err != nil {
		return fmt.Errorf("bind %s: %w", source, err)
	}
	_ = f.Close()
	if err := unix.Mount(source, target, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("bind %s: %w", source, err)
	}
	return nil
}
