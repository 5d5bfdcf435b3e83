//go:build linux

package machine

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Usage counts what a machine has used since it was prepared.
type Usage struct {
	CPU            time.Duration // processor time, summed over its processors
	Received, Sent uint64        // bytes on its network interfaces, including Ethernet headers
}

// Usage returns what a machine has used, or false if nothing of it is in the kernel. It
// reads the kernel's counters only, so it is cheap enough to call often.
func (p *Plane) Usage(id string) (Usage, bool) {
	if !validID.MatchString(id) {
		return Usage{}, false
	}
	group := p.cgroup(id)
	cpu, ok := group.cpuUsage()
	if !ok {
		return Usage{}, false
	}
	u := Usage{CPU: cpu}
	u.Received, u.Sent = traffic(group.launcher())
	return u, true
}

// cpuUsage returns the processor time that the machine has used. The version 2 hierarchy
// counts it in every layout, because it needs no controller for that (Linux's cgroup-v2.rst,
// cpu.stat).
func (c cgroup) cpuUsage() (time.Duration, bool) {
	data, err := os.ReadFile(filepath.Join(c.top(), "cpu.stat"))
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(line, "usage_usec "); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			return time.Duration(n) * time.Microsecond, err == nil
		}
	}
	return 0, false
}

// memoryUsage returns the memory in use in bytes, 0 if it is unknown.
func (c cgroup) memoryUsage() int64 {
	path := filepath.Join(c.top(), "memory.current")
	if mount := c.v1["memory"]; mount != "" {
		path = filepath.Join(mount, c.name, "memory.usage_in_bytes")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	bytes, _ := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64) // 0 if not a number
	return bytes
}

// traffic returns the bytes received and sent on the interfaces, except loopback, of the
// network namespace of the process in the launcher's cgroup. They are 0 if the launcher is
// gone.
func traffic(launcher string) (received, sent uint64) {
	pids, err := os.ReadFile(filepath.Join(launcher, "cgroup.procs"))
	if err != nil {
		return 0, 0
	}
	pid, _, _ := strings.Cut(string(pids), "\n")
	f, err := os.Open(fmt.Sprintf("/proc/%s/net/dev", pid))
	if pid == "" || err != nil {
		return 0, 0
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		in, out := interfaceBytes(lines.Text())
		received, sent = received+in, sent+out
	}
	return received, sent
}

// interfaceBytes parses a line of /proc/net/dev: an interface's name, eight receive counters
// and eight transmit counters, bytes first (proc_pid_net(5)). It returns 0 for the loopback
// interface and for the header.
func interfaceBytes(line string) (received, sent uint64) {
	name, counters, ok := strings.Cut(line, ":")
	fields := strings.Fields(counters)
	if !ok || strings.TrimSpace(name) == "lo" || len(fields) < 9 {
		return 0, 0
	}
	received, _ = strconv.ParseUint(fields[0], 10, 64) // 0 if not a number
	sent, _ = strconv.ParseUint(fields[8], 10, 64)
	return received, sent
}
