//go:build linux

package machine

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestInterfaceBytesExcludeLoopback(t *testing.T) {
	for line, want := range map[string][2]uint64{
		" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls " +
			"carrier compressed": {0, 0},
		"    lo:   10 1 0 0 0 0 0 0 10 1 0 0 0 0 0 0":         {0, 0},
		"  eth0: 1500 3 0 0 0 0 0 0 700 2 0 0 0 0 0 0":        {1500, 700},
		"eth1:18446744073709551615 3 0 0 0 0 0 0 7 2 0 0 0 0": {1<<64 - 1, 7},
	} {
		if in, out := interfaceBytes(line); in != want[0] || out != want[1] {
			t.Errorf("%q: got %d and %d, want %v", line, in, out, want)
		}
	}
}

func TestProcessorTimeIsReadFromTheVersion2Hierarchy(t *testing.T) {
	c := cgroup{hierarchies: hierarchies{v2: t.TempDir()}, name: "i-1"}
	if _, ok := c.cpuUsage(); ok {
		t.Error("a missing cgroup has a usage")
	}
	if err := os.MkdirAll(c.top(), 0o755); err != nil {
		t.Fatal(err)
	}
	stat := []byte("usage_usec 2500000\nuser_usec 1\nsystem_usec 2\n")
	if err := os.WriteFile(filepath.Join(c.top(), "cpu.stat"), stat, 0o600); err != nil {
		t.Fatal(err)
	}
	if used, ok := c.cpuUsage(); !ok || used != 2500*time.Millisecond {
		t.Errorf("got %v, %v; want 2.5s", used, ok)
	}
}
