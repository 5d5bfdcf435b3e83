//go:build linux

package machine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/thread"
)

// Prepare creates a machine's namespaces and root filesystem without starting its system,
// and returns the path of its network namespace (for setns(2)). It changes nothing if the
// machine is prepared already. For a machine that was stopped, m replaces the earlier
// description.
func (p *Plane) Prepare(ctx context.Context, m Machine) (namespace string, err error) {
	if err := m.validate(); err != nil {
		return "", fmt.Errorf("prepare machine %s: %w", m.ID, err)
	}
	unlock, err := p.lock(ctx, m.ID)
	if err != nil {
		return "", err
	}
	defer unlock()
	if err := p.prepare(ctx, m); err != nil {
		return "", fmt.Errorf("prepare machine %s: %w", m.ID, err)
	}
	p.notifyWatches(m.ID)
	return p.namespace(m.ID), nil
}

func (p *Plane) prepare(ctx context.Context, m Machine) error {
	r, err := p.readRecord(m.ID)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	_, err = call(ctx, p.socket(m.ID), request{Do: opReport})
	if err != nil && !errors.Is(err, errNoLauncher) {
		return err
	}
	if err == nil && p.mounted(m.ID) {
		return nil
	}
	// An interrupted Prepare may have left some of the machine.
	if err := p.tearDown(ctx, m.ID); err != nil {
		return err
	}
	if err := p.CheckRoom(); err != nil {
		return err
	}
	r.Machine = m
	if err := p.writeRecord(r); err != nil {
		return err
	}
	if err := p.migrateDisk(ctx, &r); err != nil {
		return err
	}
	if err := p.prepareFiles(m); err != nil {
		return err
	}
	var disk errgroup.Group
	disk.Go(func() error { return p.createDisk(ctx, m) })
	group := p.cgroup(m.ID)
	pid := 0
	if err = group.create(m); err == nil {
		pid, err = p.startLauncher(m, group)
	}
	if err := errors.Join(err, disk.Wait()); err != nil {
		return err
	}
	return p.setUpLauncher(ctx, r, pid)
}

// prepareFiles creates a machine's directories, and deletes its console output if it
// starts a new one.
func (p *Plane) prepareFiles(m Machine) error {
	// Of all users of the host, only root and the launcher, which runs as the machine's root,
	// may reach what is in it.
	if err := os.MkdirAll(p.root(m.ID), 0o710); err != nil {
		return fmt.Errorf("create directories: %w", err)
	}
	if err := os.Chown(p.runDir(m.ID), 0, int(m.UIDBase)); err != nil {
		return fmt.Errorf("protect the machine's files: %w", err)
	}
	if !m.NewConsole {
		return nil
	}
	if err := os.Remove(p.consoleLog(m.ID)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete the console output: %w", err)
	}
	return nil
}

// setUpLauncher does for a new launcher what only root on the host may do.
func (p *Plane) setUpLauncher(ctx context.Context, r record, pid int) error {
	id := r.Machine.ID
	// What root writes is also the least that the launcher's descendants can set for themselves
	// (proc_pid_oom_score_adj(5)): the machine must not escape the host's OOM killer.
	if err := writeFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), "0"); err != nil {
		return fmt.Errorf("set the launcher's OOM score: %w", err)
	}
	if err := pinNamespace(fmt.Sprintf("/proc/%d/ns/net", pid), p.namespace(id)); err != nil {
		return err
	}
	mounts, err := openNamespace(pid, "mnt")
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(mounts) }()
	if err := p.mountDevices(id, r.Machine.UIDBase, mounts); err != nil {
		return err
	}
	if err := p.attachVolumes(r.Machine); err != nil {
		return err
	}
	if err := p.mountRoot(r, pid); err != nil {
		return err
	}
	_, err = call(ctx, p.socket(id), request{Do: opReport})
	return err
}

func (p *Plane) mountRoot(r record, launcher int) error {
	userNamespace, err := openNamespace(launcher, "user")
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(userNamespace) }()
	mounts, err := openNamespace(launcher, "mnt")
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(mounts) }()
	id := r.Machine.ID
	number, err := filesystem{
		layers:        r.layers(),
		disk:          p.disk(id),
		userNamespace: userNamespace,
		launcher:      mounts,
		owner:         r.Machine.UIDBase,
		target:        p.root(id),
	}.mount()
	if err != nil {
		return err
	}
	return p.limitDisks(r, number)
}

// unmountRoot undoes mountRoot. The device of the disk will be another's. launcher is 0 if it
// has ended.
func (p *Plane) unmountRoot(id string, launcher int) error {
	err := errors.Join(p.cgroup(id).freeDisks(p.volumeDevices(id)), unmount(p.root(id)))
	if err != nil || launcher == 0 {
		return err
	}
	mounts, err := openNamespace(launcher, "mnt")
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(mounts) }()
	return thread.RunDisposable(func() error {
		// Threads that share a working directory cannot enter another mount namespace (setns(2)).
		if err := unix.Unshare(unix.CLONE_FS); err != nil {
			return fmt.Errorf("unshare the working directory: %w", err)
		}
		if err := unix.Setns(mounts, unix.CLONE_NEWNS); err != nil {
			return fmt.Errorf("enter the launcher's mounts: %w", err)
		}
		return unmount(p.root(id))
	})
}

// openNamespace opens a namespace of a process.
func openNamespace(pid int, kind string) (fd int, err error) {
	fd, err = unix.Open(fmt.Sprintf("/proc/%d/ns/%s", pid, kind), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("open the %s namespace of process %d: %w", kind, pid, err)
	}
	return fd, nil
}

// mounted reports whether everything that Prepare mounts is mounted.
func (p *Plane) mounted(id string) bool {
	return mountedAs(p.namespace(id), nsfsMagic) && mountedAs(p.root(id), overlayMagic)
}

// tearDown removes everything that a machine has in the kernel, complete or not. Its disk
// remains.
func (p *Plane) tearDown(ctx context.Context, id string) error {
	// Ask the launcher first: it reaps its PID 1, which the host's init might not do.
	killCtx, cancel := context.WithTimeout(ctx, reportTimeout)
	last, err := call(killCtx, p.socket(id), request{Do: opKill})
	cancel()
	if err != nil && !errors.Is(err, errNoLauncher) {
		p.config.Log.Warn("launcher does not kill its system: kill both", "machine", id, "error", err)
	}
	group := p.cgroup(id)
	if err := group.kill(ctx); err != nil {
		return err
	}
	p.reap(id, last.PID)
	if err := p.detachVolumes(id); err != nil {
		return err
	}
	if err := errors.Join(p.unmountRoot(id, 0), unmount(p.devices(id)), unmount(p.namespace(id))); err != nil {
		return err
	}
	if err := os.RemoveAll(p.runDir(id)); err != nil {
		return fmt.Errorf("remove %s: %w", p.runDir(id), err)
	}
	return group.remove(ctx)
}
