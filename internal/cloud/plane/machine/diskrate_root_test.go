//go:build linux && root

package machine_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/machine"
)

// testDiskRate is a rate in bytes per second that no instance type has.
const testDiskRate = 8 << 20

// What a machine writes reaches the disk no faster than its rate, and its image is made
// without waiting for that.
func TestRealDiskOfAMachineIsHeldToItsRate(t *testing.T) {
	const rate, size = testDiskRate, 32 << 20
	s := newFixture(t)
	m := s.machine(1)
	m.DiskRate = machine.DiskRate{Bytes: rate, Operations: 1000}
	s.bootFully(m)
	before := s.diskLimits()
	for _, how := range []string{"oflag=direct", "conv=fsync"} {
		start := time.Now()
		out, err := s.inside(m.ID, fmt.Sprintf("dd if=/dev/zero of=/var/tmp/file bs=1M count=%d %s", size>>20, how))
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if took := time.Since(start); took.Seconds() < size/rate-1 {
			t.Errorf("it wrote %d MiB with %s in %v, at a rate of %d MiB/s", size>>20, how, took, rate>>20)
		}
	}
	if _, err := s.plane.Capture(t.Context(), m.ID, s.images, false); err != nil {
		t.Fatal(err)
	}
	if after := s.diskLimits(); after != before {
		t.Errorf("before an image was made, the limits were\n%s\nand afterwards\n%s", before, after)
	}
	if err := s.plane.Stop(t.Context(), m.ID, true); err != nil {
		t.Fatal(err)
	}
	if left := s.diskLimits(); left != "" {
		t.Errorf("limits of a machine that is off are left:\n%s", left)
	}
}

// diskLimits returns the limits of testDiskRate on loop devices that the test's machine, or the
// root cgroup of version 1, has. The root cgroup also has those of other tests' machines.
func (s *fixture) diskLimits() string {
	s.Helper()
	var found []string
	for _, path := range []string{
		"/sys/fs/cgroup/blkio/blkio.throttle.write_bps_device",
		"/sys/fs/cgroup/blkio/" + s.config.CgroupName + "/i-00000000000000001/blkio.throttle.write_bps_device",
		"/sys/fs/cgroup/" + s.config.CgroupName + "/i-00000000000000001/io.max",
	} {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // another layout of cgroups, or the machine is off
		}
		for line := range strings.Lines(string(data)) {
			if strings.HasPrefix(line, "7:") && strings.Contains(line, strconv.Itoa(testDiskRate)) {
				found = append(found, path+": "+line)
			}
		}
	}
	return strings.Join(found, "")
}
