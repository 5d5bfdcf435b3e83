//go:build linux

package machine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/filetree"
)

// cgroup is the cgroup of a machine. Limits apply to its top. The launcher and the machine
// itself have separate cgroups below, because systemd needs a subtree for itself alone.
type cgroup struct {
	hierarchies
	name string // relative to every mount point, such as aloft/i-0123456789abcdef0
}

func (c cgroup) top() string      { return filepath.Join(c.v2, c.name) }
func (c cgroup) launcher() string { return filepath.Join(c.top(), "launcher") }
func (c cgroup) machine() string  { return filepath.Join(c.top(), "machine") }

// v1Dirs returns the cgroup's directories in version 1 hierarchies.
func (c cgroup) v1Dirs() []string {
	var dirs []string
	for _, controller := range append([]string{ioController}, controllers...) {
		if mount := c.v1[controller]; mount != "" {
			dirs = append(dirs, filepath.Join(mount, c.name))
		}
	}
	return dirs
}

// create creates the cgroup with the machine's limits and delegates the machine's part to
// the machine's root. It may run again on an existing cgroup.
func (c cgroup) create(m Machine) error {
	for _, dir := range append(c.v1Dirs(), c.launcher(), c.machine()) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("create cgroup: %w", err)
		}
	}
	for _, controller := range controllers {
		if c.v1[controller] == "" {
			if err := c.enable(controller); err != nil {
				return err
			}
		}
	}
	if err := c.setLimits(m); err != nil {
		return err
	}
	if err := c.limitCgroups(); err != nil {
		return err
	}
	if c.v1[ioController] == "" {
		if err := c.enable(ioController); err != nil && !errors.Is(err, unix.EINVAL) { // this kernel lacks it
			return err
		}
	}
	uid := int(m.UIDBase)
	for _, name := range []string{"", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control"} {
		if err := os.Chown(filepath.Join(c.machine(), name), uid, uid); err != nil {
			return fmt.Errorf("delegate cgroup: %w", err)
		}
	}
	return nil
}

// enable enables a version 2 controller in every cgroup from the root down to the parent of
// the launcher's and the machine's.
func (c cgroup) enable(controller string) error {
	dir := c.v2
	for _, part := range append(strings.Split(c.name, "/"), "") {
		if err := writeFile(filepath.Join(dir, "cgroup.subtree_control"), "+"+controller); err != nil {
			return fmt.Errorf("enable the %s controller in %s: %w", controller, dir, err)
		}
		dir = filepath.Join(dir, part)
	}
	return nil
}

// setFrozen suspends or resumes every process of the machine, and returns when it is done.
func (c cgroup) setFrozen(ctx context.Context, frozen bool) error {
	value := "0"
	if frozen {
		value = "1"
	}
	if err := writeFile(filepath.Join(c.machine(), "cgroup.freeze"), value); err != nil {
		return fmt.Errorf("freeze cgroup: %w", err)
	}
	return c.awaitEvent(ctx, c.machine(), "frozen "+value)
}

// isFrozen reports whether the machine is frozen.
func (c cgroup) isFrozen() (bool, error) {
	data, err := os.ReadFile(filepath.Join(c.machine(), "cgroup.freeze"))
	if err != nil {
		return false, fmt.Errorf("read whether it is frozen: %w", err)
	}
	return strings.TrimSpace(string(data)) == "1", nil
}

// kill kills every process of the machine and its launcher, and returns when all are gone.
func (c cgroup) kill(ctx context.Context) error {
	err := writeFile(filepath.Join(c.top(), "cgroup.kill"), "1")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("kill cgroup: %w", err)
	}
	return c.awaitEvent(ctx, c.top(), "populated 0")
}

// awaitEvent waits until the cgroup.events of the cgroup dir contain a line (Linux's
// cgroup-v2.rst, cgroup.events: a change is a priority event for poll).
func (c cgroup) awaitEvent(ctx context.Context, dir, line string) error {
	f, err := os.Open(filepath.Join(dir, "cgroup.events"))
	if err != nil {
		return fmt.Errorf("watch cgroup: %w", err)
	}
	defer func() { _ = f.Close() }()
	for {
		buffer := make([]byte, 256)
		n, err := unix.Pread(int(f.Fd()), buffer, 0)
		if err != nil {
			return fmt.Errorf("watch cgroup: %w", err)
		}
		if slices.Contains(strings.Split(string(buffer[:n]), "\n"), line) {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("wait until cgroup is %s: %w", line, err)
		}
		polled := []unix.PollFd{{Fd: int32(f.Fd()), Events: unix.POLLPRI}}
		_, err = unix.Poll(polled, int(cgroupPollInterval.Milliseconds()))
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("watch cgroup: %w", err)
		}
	}
}

// remove deletes the cgroup and those below it. Their processes must have been killed; a cgroup
// stays busy for a moment after its last process has exited.
func (c cgroup) remove(ctx context.Context) error {
	for _, dir := range append(c.v1Dirs(), c.top()) {
		if err := filetree.RemoveDirs(ctx, dir, cgroupRetryInterval); err != nil {
			return fmt.Errorf("remove cgroup: %w", err)
		}
	}
	return nil
}

// writeFile writes a value to a file of cgroupfs or procfs.
func writeFile(path, value string) error { return os.WriteFile(path, []byte(value), 0o644) }
