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

// processes is how many processes and threads a machine may have.
const processes = 4096

// hierarchies are the mounted cgroup hierarchies of the host. Three layouts are
// in use: version 2 alone, version 1 alone (which machines cannot run on: systemd
// in them needs version 2), and both, with the controllers in version 1 and a
// version 2 hierarchy beside them (cgroups(7), "Cgroups version 2").
type hierarchies struct {
	unified string            // mount point of version 2
	legacy  map[string]string // version 1: controller to mount point; empty where version 2 has the controllers
}

// limiting are the controllers that hold a machine to its instance type.
var limiting = []string{"cpu", "memory", "pids"}

func findHierarchies() (hierarchies, error) {
	h := hierarchies{legacy: map[string]string{}}
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
			h.unified = fields[1]
		case "cgroup":
			for option := range strings.SplitSeq(fields[3], ",") {
				if slices.Contains(limiting, option) {
					h.legacy[option] = fields[1]
				}
			}
		}
	}
	if h.unified == "" {
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

func (c cgroup) top() string      { return filepath.Join(c.unified, c.name) }
func (c cgroup) launcher() string { return filepath.Join(c.top(), "launcher") }
func (c cgroup) machine() string  { return filepath.Join(c.top(), "machine") }

func (c cgroup) legacyDirs() []string {
	var dirs []string
	for _, controller := range limiting {
		if mount := c.legacy[controller]; mount != "" {
			dirs = append(dirs, filepath.Join(mount, c.name))
		}
	}
	return dirs
}

// ensure makes the cgroup with the machine's limits, and lets the machine's root
// have its part of it.
func (c cgroup) ensure(m Machine) error {
	for _, dir := range append(c.legacyDirs(), c.launcher(), c.machine()) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("create cgroup: %w", err)
		}
	}
	for _, controller := range limiting {
		if c.legacy[controller] == "" {
			if err := c.enable(controller); err != nil {
				return err
			}
		}
	}
	if err := c.limit(m); err != nil {
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
	dir := c.unified
	for _, part := range append(strings.Split(c.name, "/"), "") {
		if err := write(filepath.Join(dir, "cgroup.subtree_control"), "+"+controller); err != nil {
			return fmt.Errorf("enable the %s controller in %s: %w", controller, dir, err)
		}
		dir = filepath.Join(dir, part)
	}
	return nil
}

// period of the processor quota, in microseconds: the kernel's default.
const period = 100_000

func (c cgroup) limit(m Machine) error {
	quota, bytes := m.VCPUs*period, int64(m.MemoryMiB)<<20
	for _, l := range []struct{ controller, file, unifiedFile, value, unifiedValue string }{
		{"cpu", "cpu.cfs_quota_us", "cpu.max", strconv.Itoa(quota), fmt.Sprintf("%d %d", quota, period)},
		{"memory", "memory.limit_in_bytes", "memory.max", strconv.FormatInt(bytes, 10), strconv.FormatInt(bytes, 10)},
		{"pids", "pids.max", "pids.max", strconv.Itoa(processes), strconv.Itoa(processes)},
	} {
		path, value := filepath.Join(c.top(), l.unifiedFile), l.unifiedValue
		if mount := c.legacy[l.controller]; mount != "" {
			path, value = filepath.Join(mount, c.name, l.file), l.value
		}
		if err := write(path, value); err != nil {
			return fmt.Errorf("limit %s: %w", l.controller, err)
		}
	}
	return nil
}

// memory is what the machine uses, in bytes.
func (c cgroup) memory() int64 {
	path := filepath.Join(c.top(), "memory.current")
	if mount := c.legacy["memory"]; mount != "" {
		path = filepath.Join(mount, c.name, "memory.usage_in_bytes")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	bytes, _ := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64) // what is no number is not known
	return bytes
}

// freeze stops every process of the machine where it is, or lets all go on, and
// returns when that is so.
func (c cgroup) freeze(ctx context.Context, frozen bool) error {
	value := "0"
	if frozen {
		value = "1"
	}
	if err := write(filepath.Join(c.machine(), "cgroup.freeze"), value); err != nil {
		return fmt.Errorf("freeze cgroup: %w", err)
	}
	return c.await(ctx, c.machine(), "frozen "+value)
}

// frozen tells whether the machine has been frozen.
func (c cgroup) frozen() (bool, error) {
	data, err := os.ReadFile(filepath.Join(c.machine(), "cgroup.freeze"))
	if err != nil {
		return false, fmt.Errorf("look whether it is frozen: %w", err)
	}
	return strings.TrimSpace(string(data)) == "1", nil
}

// kill ends every process of the machine and its launcher, and returns when none
// is left.
func (c cgroup) kill(ctx context.Context) error {
	err := write(filepath.Join(c.top(), "cgroup.kill"), "1")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("kill cgroup: %w", err)
	}
	return c.await(ctx, c.top(), "populated 0")
}

// await returns when the cgroup's events say so (Linux's cgroup-v2.rst,
// cgroup.events; a change there is a priority event for poll).
func (c cgroup) await(ctx context.Context, dir, event string) error {
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
	for _, dir := range append(c.legacyDirs(), c.top()) {
		if err := removeTree(ctx, dir); err != nil {
			return fmt.Errorf("remove cgroup: %w", err)
		}
	}
	return nil
}

// removeTree removes a cgroup and those below it, deepest first. A cgroup stays
// busy for a moment after its last process.
func removeTree(ctx context.Context, dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.IsDir() {
			if err := removeTree(ctx, filepath.Join(dir, entry.Name())); err != nil {
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

func write(path, value string) error { return os.WriteFile(path, []byte(value), 0o644) }
