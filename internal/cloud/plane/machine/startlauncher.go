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

// idsPerMachine is how many user and group ids a machine has.
const idsPerMachine = 1 << 16

// Descriptors that a launcher inherits, from the first after standard error on.
const (
	fdControl = 3 + iota // the listening control socket
	fdConsole            // the console log, open for reading and writing
	fdMachine            // cgroup.procs of the machine's cgroup: who writes 0 moves there
)

// startLauncher starts the launcher of a machine, and returns when it runs.
//
// The kernel counts what a user namespace uses (inotify instances and the like)
// against the user who created it as well (namespaces(7), "The /proc/sys/user
// directory"). So the thread that creates it takes on the machine's user id for
// the moment: one machine then does not eat what another may use.
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
	place, err := unix.Open(group.launcher(), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("open cgroup: %w", err)
	}
	defer func() { _ = unix.Close(place) }()
	maps := []syscall.SysProcIDMap{{ContainerID: 0, HostID: int(m.UIDBase), Size: idsPerMachine}}
	attr := &os.ProcAttr{
		Dir:   "/",
		Files: files,
		// A launcher does next to nothing: small memory counts more than speed.
		Env: []string{"GOMAXPROCS=1", "GOGC=20", "GOMEMLIMIT=16MiB", "GODEBUG=madvdontneed=1"},
		Sys: &syscall.SysProcAttr{
			Setsid: true, Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
			UidMappings: maps, GidMappings: maps, GidMappingsEnableSetgroups: true,
			Credential:  &syscall.Credential{Uid: 0, Gid: 0},
			UseCgroupFD: true, CgroupFD: place,
		},
	}
	argv := append(append([]string(nil), p.config.Launcher...), roleLaunch)
	pid := 0
	err = thread.RunDisposable(func() error {
		pid, err = startAs(m.UIDBase, group, argv, attr)
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

func startAs(uid uint32, group cgroup, argv []string, attr *os.ProcAttr) (int, error) {
	for _, dir := range group.v1Dirs() { // a child starts where its parent's thread is
		if err := writeFile(filepath.Join(dir, "tasks"), strconv.Itoa(unix.Gettid())); err != nil {
			return 0, fmt.Errorf("enter cgroup: %w", err)
		}
	}
	if err := assumeUser(uid); err != nil {
		return 0, err
	}
	process, err := os.StartProcess(argv[0], argv, attr)
	if err != nil {
		return 0, err
	}
	pid := process.Pid
	return pid, process.Release()
}

// openInherited opens what a launcher inherits, in the order of its descriptors.
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
	socket := p.socket(id)
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return files, fmt.Errorf("replace the control socket: %w", err)
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		return files, fmt.Errorf("open the control socket: %w", err)
	}
	listener.SetUnlinkOnClose(false) // it is the launcher's from now on
	defer func() { _ = listener.Close() }()
	if err := os.Chmod(socket, 0o600); err != nil {
		return files, fmt.Errorf("protect the control socket: %w", err)
	}
	control, err := listener.File()
	if err != nil {
		return files, fmt.Errorf("pass the control socket on: %w", err)
	}
	files = append(files, control)
	return files, errors.Join(
		open(p.consoleLog(id), os.O_CREATE|os.O_RDWR),
		open(filepath.Join(group.machine(), "cgroup.procs"), os.O_WRONLY),
	)
}

// reap takes note of the end of a launcher that was killed, so that no zombie is
// left of it, if this process started it. pid is 0 when nobody could tell.
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
			return // ended, or another daemon's
		}
	}
}
