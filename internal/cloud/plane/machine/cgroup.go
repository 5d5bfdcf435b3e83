package machine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// maxProcesses is how many processes and threads a machine may have.
const maxProcesses = 4096

// hierarchies are the mounted cgroup hierarchies of the host. Three layouts are
// in use: version 2 alone, version 1 alone (which machines cannot run on: systemd
// in them needs version 2), and both, with the controllers in version 1 and a
// version 2 hierarchy beside them (cgroups(7), "Cgroups version 2").
type hierarchies struct {
	v2 string            // mount point of version 2
	v1 map[string]string // version 1: controller to mount point; empty where version 2 has the controllers
}

// controllers are the controllers that hold a machine to its instance type.
var controllers = []string{"cpu", "memory", "pids"}

func findHierarchies() (hierarchies, error) {
	h := hierarchies{v1: map[string]string{}}
	f, err := os.Open("/proc/self/mounts")
	if err != nil {
		return h, fmt.Errorf("look for cgroups: %w", err)
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 {
			continue
		}
		switch fields[2] {
		case "cgroup2":
			h.v2 = fields[1]
		case "cgroup":
			for option := range strings.SplitSeq(fields[3], ",") {
				if slices.Contains(controllers, option) {
					h.v1[option] = fields[1]
				}
			}
		}
	}
	if h.v2 == "" {
		return h, errors.New("look for cgroups: no version 2 hierarchy is mounted")
	}
	return h, nil
}

// cgroup is a machine's: limits apply at the top; below, the launcher and the
// machine itself are apart, because systemd wants a subtree that is its alone.
type cgroup struct {
	hierarchies
	name string // relative to every mount point, such as aloft/i-0123456789abcdef0
}

func (c cgroup) top() string      { return filepath.Join(c.v2, c.name) }
func (c cgroup) launcher() string { return filepath.Join(c.top(), "launcher") }
func (c cgroup) machine() string  { return filepath.Join(c.top(), "machine") }

func (c cgroup) v1Dirs() []string {
	var dirs []string
	for _, controller := range controllers {
		if mount := c.v1[controller]; mount != "" {
			dirs = append(dirs, filepath.Join(mount, c.name))
		}
	}
	return dirs
}

// create makes the cgroup with the machine's limits, and lets the machine's root
// have its part of it.
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
	uid := int(m.UIDBase)
	for _, name := range []string{"", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control"} {
		if err := os.Chown(filepath.Join(c.machine(), name), uid, uid); err != nil {
			return fmt.Errorf("delegate cgroup: %w", err)
		}
	}
	return nil
}

// enable makes a version 2 controller available from the root down to the
// launcher's and the machine's part.
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

// period of the processor quota, in microseconds: the kernel's default.
const period = 100_000

func (c cgroup) setLimits(m Machine) error {
	quota, bytes := m.VCPUs*period, int64(m.MemoryMiB)<<20
	for _, l := range []struct{ controller, file, unifiedFile, value, unifiedValue string }{
		{"cpu", "cpu.cfs_quota_us", "cpu.max", strconv.Itoa(quota), fmt.Sprintf("%d %d", quota, period)},
		{"memory", "memory.limit_in_bytes", "memory.max", strconv.FormatInt(bytes, 10), strconv.FormatInt(bytes, 10)},
		{"pids", "pids.max", "pids.max", strconv.Itoa(maxProcesses), strconv.Itoa(maxProcesses)},
	} {
		path, value := filepath.Join(c.top(), l.unifiedFile), l.unifiedValue
		if mount := c.v1[l.controller]; mount != "" {
			path, value = filepath.Join(mount, c.name, l.file), l.value
		}
		if err := writeFile(path, value); err != nil {
			return fmt.Errorf("limit %s: %w", l.controller, err)
		}
	}
	return nil
}

// memoryUsage is what the machine uses, in bytes.
func (c cgroup) memoryUsage() int64 {
	path := filepath.Join(c.top(), "memory.current")
	if mount := c.v1["memory"]; mount != "" {
		path = filepath.Join(mount, c.name, "memory.usage_in_bytes")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	bytes, _ := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64) // what is no number is not known
	return bytes
}

// setFrozen stops every process of the machine where it is, or lets all go on, and
// returns when that is so.
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

// isFrozen tells whether the machine has been frozen.
func (c cgroup) isFrozen() (bool, error) {
	data, err := os.ReadFile(filepath.Join(c.machine(), "cgroup.freeze"))
	if err != nil {
		return false, fmt.Errorf("look whether it is frozen: %w", err)
	}
	return strings.TrimSpace(string(data)) == "1", nil
}

// kill ends every process of the machine and its launcher, and returns when none
// is left.
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

// awaitEvent returns when the cgroup's events say so (Linux's cgroup-v2.rst,
// cgroup.events; a change there is a priority event for poll).
func (c cgroup) awaitEvent(ctx context.Context, dir, event string) error {
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
		if slices.Contains(strings.Split(string(buffer[:n]), "\n"), event) {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("wait until cgroup is %s: %w", event, err)
		}
		polled := []unix.PollFd{{Fd: int32(f.Fd()), Events: unix.POLLPRI}}
		if _, err := unix.Poll(polled, 50); err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("watch cgroup: %w", err)
		}
	}
}

// remove deletes the cgroup, of which no process is left.
func (c cgroup) remove(ctx context.Context) error {
	for _, dir := range append(c.v1Dirs(), c.top()) {
		if err := removeCgroups(ctx, dir); err != nil {
			return fmt.Errorf("remove cgroup: %w", err)
		}
	}
	return nil
}

// removeCgroups removes a cgroup and those below it, deepest first. A cgroup stays
// busy for a moment after its last process.
func removeCgroups(ctx context.Context, dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.IsDir() {
			if err := removeCgroups(ctx, filepath.Join(dir, entry.Name())); err != nil {
				return err
			}
		}
	}
	retry := time.NewTicker(2 * time.Millisecond)
	defer retry.Stop()
	for {
		err := unix.Rmdir(dir)
		if err == nil || errors.Is(err, unix.ENOENT) {
			return nil
		}
		if !errors.Is(err, unix.EBUSY) {
			return &fs.PathError{Op: "rmdir", Path: dir, Err: err}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is busy: %w", dir, ctx.Err())
		case <-retry.C:
		}
	}
}

func writeFile(path, value string) error { return os.WriteFile(path, []byte(value), 0o644) }
