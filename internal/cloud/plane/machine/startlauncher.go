//go:build linux

package machine

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/thread"
)

// Descriptors that a launcher inherits, after standard error.
const (
	fdControl = 3 + iota // the listening control socket
	fdConsole            // the console log, open for reading and writing
	fdMachine            // cgroup.procs of the machine's cgroup: a process that writes 0 moves there
)

// launcherEnv makes the Go runtime of a launcher, which is idle nearly always, use little
// memory.
func launcherEnv() []string {
	return []string{"GOMAXPROCS=1", "GOGC=20", "GOMEMLIMIT=16MiB", "GODEBUG=madvdontneed=1"}
}

// startLauncher starts a machine's launcher and returns its process id.
//
// The kernel charges what a user namespace uses (inotify instances and the like) to the
// user who created it as well (namespaces(7), "The /proc/sys/user directory"). The thread
// that creates the namespace therefore switches to the machine's own user id, so that one
// machine does not use up the limits of another.
func (p *Plane) startLauncher(m Machine, group cgroup) (int, error) {
	files, err := p.openInherited(m.ID, group)
	defer func() {
		for _, f := range files {
			_ = f.Close()
		}
	}()
	if err != nil {
		return 0, err
	}
	cgroupFD, err := unix.Open(group.launcher(), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("open cgroup: %w", err)
	}
	defer func() { _ = unix.Close(cgroupFD) }()
	idMap := []syscall.SysProcIDMap{{ContainerID: 0, HostID: int(m.UIDBase), Size: idsPerMachine}}
	attr := &os.ProcAttr{
		Dir:   "/",
		Files: files,
		Env:   launcherEnv(),
		Sys: &syscall.SysProcAttr{
			Setsid: true, Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
			UidMappings: idMap, GidMappings: idMap, GidMappingsEnableSetgroups: true,
			Credential:  &syscall.Credential{Uid: 0, Gid: 0},
			UseCgroupFD: true, CgroupFD: cgroupFD,
		},
	}
	argv := append(append([]string(nil), p.config.Launcher...), roleLaunch)
	pid := 0
	err = thread.RunDisposable(func() error {
		pid, err = p.startAs(m, group, argv, attr)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("start the launcher: %w", err)
	}
	p.mu.Lock()
	p.launchers[m.ID] = pid
	p.mu.Unlock()
	return pid, nil
}

// startAs starts a process as the machine's root in the cgroup, with mounts of its own. It
// changes the calling thread.
func (p *Plane) startAs(m Machine, group cgroup, argv []string, attr *os.ProcAttr) (int, error) {
	// In version 1 hierarchies a child starts in the cgroup of its parent's thread.
	for _, dir := range group.v1Dirs() {
		if err := writeFile(filepath.Join(dir, "tasks"), strconv.Itoa(unix.Gettid())); err != nil {
			return 0, fmt.Errorf("enter cgroup: %w", err)
		}
	}
	if err := enterPrivateMounts(); err != nil {
		return 0, err
	}
	if err := dropMounts(p.root(m.ID), argv[0], FindAuthorities(m.Env)); err != nil {
		return 0, err
	}
	if err := assumeUser(m.UIDBase); err != nil {
		return 0, err
	}
	process, err := os.StartProcess(argv[0], argv, attr)
	if err != nil {
		return 0, err
	}
	pid := process.Pid
	return pid, process.Release()
}

// openInherited opens the files that a launcher inherits, in the order of its descriptors.
// It returns the files it has opened even if it fails.
func (p *Plane) openInherited(id string, group cgroup) ([]*os.File, error) {
	var files []*os.File
	open := func(path string, flags int) error {
		f, err := os.OpenFile(path, flags, 0o600)
		if err != nil {
			return fmt.Errorf("open for the launcher: %w", err)
		}
		files = append(files, f)
		return nil
	}
	err := errors.Join(
		open(os.DevNull, os.O_RDONLY),
		open(os.DevNull, os.O_WRONLY),
		open(p.launcherLog(id), os.O_CREATE|os.O_WRONLY|os.O_APPEND),
	)
	if err != nil {
		return files, err
	}
	control, err := listenControl(p.socket(id))
	if err != nil {
		return files, err
	}
	files = append(files, control)
	return files, errors.Join(
		open(p.consoleLog(id), os.O_CREATE|os.O_RDWR),
		open(filepath.Join(group.machine(), "cgroup.procs"), os.O_WRONLY),
	)
}

// listenControl creates a launcher's control socket, which only root can reach.
func listenControl(socket string) (*os.File, error) {
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("replace the control socket: %w", err)
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("open the control socket: %w", err)
	}
	listener.SetUnlinkOnClose(false) // the launcher keeps using it
	defer func() { _ = listener.Close() }()
	if err := os.Chmod(socket, 0o600); err != nil {
		return nil, fmt.Errorf("protect the control socket: %w", err)
	}
	control, err := listener.File()
	if err != nil {
		return nil, fmt.Errorf("pass the control socket on: %w", err)
	}
	return control, nil
}

// reap waits for a killed launcher, if this process started it, so that it does not remain
// as a zombie. pid is the process id that the launcher reported, 0 if it did not.
func (p *Plane) reap(id string, pid int) {
	p.mu.Lock()
	if started, ok := p.launchers[id]; ok {
		pid = started
	}
	delete(p.launchers, id)
	p.mu.Unlock()
	for pid != 0 {
		_, err := unix.Wait4(pid, nil, 0, nil)
		if !errors.Is(err, unix.EINTR) {
			return // reaped, or started by another daemon
		}
	}
}
