//go:build linux

package machine

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"aloft.dev/aloft/internal/cloud/plane/packetrate"
)

// maxProcesses limits a machine's processes and threads.
const maxProcesses = 4096

// quotaPeriod is the period of the processor quota in microseconds: the kernel's default.
const quotaPeriod = 100_000

// Limits of the cgroups that root in a machine creates. A systemd with a user's session in a
// container has eight levels and some hundred cgroups.
const (
	maxCgroupDepth = 16
	maxCgroups     = 1000
)

// limitCgroups limits the cgroups below the machine's: each takes memory of the kernel, and a
// cgroup far down has a path that no tool of the host can name (PATH_MAX).
func (c cgroup) limitCgroups() error {
	for file, limit := range map[string]int{
		"cgroup.max.depth": maxCgroupDepth, "cgroup.max.descendants": maxCgroups,
	} {
		if err := writeFile(filepath.Join(c.machine(), file), strconv.Itoa(limit)); err != nil {
			return fmt.Errorf("limit cgroups: %w", err)
		}
	}
	return nil
}

// defaultWeight is the weight of a cgroup without one, in which version 1 has 1024 shares.
const defaultWeight = 100

// setLimits limits the machine's processor time, memory, processes and packets. When machines want more
// processor time than the host has, their weights divide it. Instances have no
// swap, so a host that has some must not lend it: the limit would be no limit.
func (c cgroup) setLimits(m Machine) error {
	quota := m.VCPUs * quotaPeriod
	bytes := strconv.FormatInt(int64(m.MemoryMiB)<<20, 10)
	processes := strconv.Itoa(maxProcesses)
	if err := c.setWeight(cmp.Or(m.CPUWeight, defaultWeight)); err != nil {
		return fmt.Errorf("weigh cpu: %w", err)
	}
	limits := []struct{ controller, v1File, v1Value, v2File, v2Value string }{
		{"cpu", "cpu.cfs_quota_us", strconv.Itoa(quota), "cpu.max", fmt.Sprintf("%d %d", quota, quotaPeriod)},
		{"memory", "memory.limit_in_bytes", bytes, "memory.max", bytes},
		{"memory", "memory.memsw.limit_in_bytes", bytes, "memory.swap.max", "0"},
		{"pids", "pids.max", processes, "pids.max", processes},
	}
	for _, l := range limits {
		path, value := filepath.Join(c.top(), l.v2File), l.v2Value
		if mount := c.v1[l.controller]; mount != "" {
			path, value = filepath.Join(mount, c.name, l.v1File), l.v1Value
		}
		if strings.Contains(filepath.Base(path), "sw") && !exists(path) {
			continue // the kernel does not account for swap
		}
		if err := writeFile(path, value); err != nil {
			return fmt.Errorf("limit %s: %w", l.controller, err)
		}
	}
	if m.PacketRate == 0 {
		return nil
	}
	err := packetrate.Limit(c.top(), m.PacketRate)
	if errors.Is(err, packetrate.ErrNotSupported) {
		return nil
	}
	return err
}

// setWeight sets the machine's share of processor time.
func (c cgroup) setWeight(weight int) error {
	if mount := c.v1["cpu"]; mount != "" {
		shares := strconv.Itoa(weight * 1024 / defaultWeight)
		return writeFile(filepath.Join(mount, c.name, "cpu.shares"), shares)
	}
	return writeFile(filepath.Join(c.top(), "cpu.weight"), strconv.Itoa(weight))
}
