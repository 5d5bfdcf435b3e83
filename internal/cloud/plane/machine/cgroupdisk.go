//go:build linux

package machine

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// DiskRate limits what a machine reads from disks, and what it writes, per second. Zero fields
// do not limit.
type DiskRate struct{ Bytes, Operations uint64 }

// device is a block device, as cgroups name it.
type device struct{ major, minor uint32 }

// deviceNumbered returns the device with a number as stat(2) has it.
func deviceNumbered(number uint64) device { return device{unix.Major(number), unix.Minor(number)} }

func (d device) String() string { return fmt.Sprintf("%d:%d", d.major, d.minor) }

// version1 returns the contents that limit a device in cgroups of version 1: file to content.
func (r DiskRate) version1(d device) map[string]string {
	limits := map[string]string{}
	for _, direction := range []string{"read", "write"} {
		limits["blkio.throttle."+direction+"_bps_device"] = fmt.Sprintf("%s %d", d, r.Bytes)
		limits["blkio.throttle."+direction+"_iops_device"] = fmt.Sprintf("%s %d", d, r.Operations)
	}
	return limits
}

// version2 returns the line that limits a device in io.max.
func (r DiskRate) version2(d device) string {
	text := func(n uint64) string {
		if n == 0 {
			return "max"
		}
		return strconv.FormatUint(n, 10)
	}
	b, o := text(r.Bytes), text(r.Operations)
	return fmt.Sprintf("%s rbps=%s wbps=%s riops=%s wiops=%s", d, b, b, o, o)
}

// limitDisk limits what the machine reads from a device and writes to it. In version 2 that
// includes what the kernel writes later on behalf of its processes. In version 1 the kernel
// does that on its own account, in the root cgroup: the same limit holds there for the
// machine's own disk.
func (c cgroup) limitDisk(d device, r DiskRate) error {
	mount := c.v1[ioController]
	if mount == "" {
		err := writeFile(filepath.Join(c.top(), "io.max"), r.version2(d))
		if errors.Is(err, fs.ErrNotExist) {
			return nil // the kernel cannot limit disks
		}
		return c.diskError(d, err)
	}
	dirs := []string{filepath.Join(mount, c.name)}
	if d.major == unix.Major(unix.Mkdev(loopMajor, 0)) {
		dirs = append(dirs, mount)
	}
	for _, dir := range dirs {
		for file, limit := range r.version1(d) {
			err := writeFile(filepath.Join(dir, file), limit)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return c.diskError(d, err)
			}
		}
	}
	return nil
}

// loopMajor is the major number of loop devices (Documentation/admin-guide/devices.txt).
const loopMajor = 7

func (c cgroup) diskError(d device, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("limit disk %s: %w", d, err)
}

// limitedDisks returns the devices that limitDisk has limited, but for those of except.
func (c cgroup) limitedDisks(except []device) (devices []device, err error) {
	path := filepath.Join(c.top(), "io.max")
	if mount := c.v1[ioController]; mount != "" {
		path = filepath.Join(mount, c.name, "blkio.throttle.write_bps_device")
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the limits of disks: %w", err)
	}
	for line := range bytes.Lines(data) {
		var d device
		if _, err := fmt.Sscanf(string(line), "%d:%d ", &d.major, &d.minor); err != nil {
			return nil, fmt.Errorf("read the limits of disks: %q: %w", line, err)
		}
		if !slices.Contains(except, d) {
			devices = append(devices, d)
		}
	}
	return devices, nil
}

// freeDisks removes the limits of all devices but those of except.
func (c cgroup) freeDisks(except []device) error {
	devices, err := c.limitedDisks(except)
	for _, d := range devices {
		err = errors.Join(err, c.limitDisk(d, DiskRate{}))
	}
	return err
}

// wholeDisk returns the disk on which a device with the number dev is, which may be a
// partition. It returns false for filesystems without one.
func wholeDisk(dev uint64) (device, bool) {
	d := deviceNumbered(dev)
	dir, err := filepath.EvalSymlinks("/sys/dev/block/" + d.String())
	if err != nil {
		return device{}, false
	}
	if !exists(filepath.Join(dir, "partition")) {
		return d, true
	}
	number, err := os.ReadFile(filepath.Join(filepath.Dir(dir), "dev"))
	if err != nil {
		return device{}, false
	}
	_, err = fmt.Sscanf(strings.TrimSpace(string(number)), "%d:%d", &d.major, &d.minor)
	return d, err == nil
}

// deviceOf returns the number of the device with the filesystem at path.
func deviceOf(path string) (uint64, error) {
	var stat unix.Stat_t
	if err := unix.Stat(path, &stat); err != nil {
		return 0, fmt.Errorf("find the device of %s: %w", path, err)
	}
	return stat.Dev, nil
}

// limitDisks limits the machine's own disk, whose device has the number, and the host's disk with
// the image's layers.
func (p *Plane) limitDisks(r record, number uint64) error {
	if r.Machine.DiskRate == (DiskRate{}) {
		return nil
	}
	numbers := []uint64{number}
	for _, layer := range r.layers() {
		number, err := deviceOf(layer)
		if err != nil {
			return err
		}
		numbers = append(numbers, number)
	}
	for _, number := range numbers {
		if d, ok := wholeDisk(number); ok {
			if err := p.cgroup(r.Machine.ID).limitDisk(d, r.Machine.DiskRate); err != nil {
				return err
			}
		}
	}
	return nil
}
