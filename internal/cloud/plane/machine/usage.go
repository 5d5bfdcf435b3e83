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

// Usage is what a machine has used since it was prepared.
type Usage struct {
	CPU            time.Duration // processor time, of all its processors together
	Received, Sent uint64        // bytes on its network interfaces, headers of Ethernet included
}

// Usage reads what a machine has used; false: it has no part of the kernel now.
// It asks the kernel alone, so that it can be called often.
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

// cpuUsage is the processor time that the machine has used. The version 2 hierarchy
// counts it in every layout, for it does so without the controller too (Linux's
// cgroup-v2.rst, cpu.stat).
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

// traffic counts the bytes on the interfaces of the network namespace in which the
// launcher of the cgroup is, without the loopback interface. A launcher that is
// gone has none.
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

// interfaceBytes reads a line of /proc/net/dev: a name, eight counters of what was
// received and eight of what was sent, bytes first (proc_pid_net(5)).
func interfaceBytes(line string) (received, sent uint64) {
	name, counters, ok := strings.Cut(line, ":")
	fields := strings.Fields(counters)
	if !ok || strings.TrimSpace(name) == "lo" || len(fields) < 9 {
		return 0, 0
	}
	received, _ = strconv.ParseUint(fields[0], 10, 64) // what is no number is not known
	sent, _ = strconv.ParseUint(fields[8], 10, 64)
	return received, sent
}
