package machine

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestBytesOfInterfacesAreReadWithoutLoopback(t *testing.T) {
	for line, want := range map[string][2]uint64{
		" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls " +
			"carrier compressed": {0, 0},
		"    lo:   10 1 0 0 0 0 0 0 10 1 0 0 0 0 0 0":         {0, 0},
		"  eth0: 1500 3 0 0 0 0 0 0 700 2 0 0 0 0 0 0":        {1500, 700},
		"eth1:18446744073709551615 3 0 0 0 0 0 0 7 2 0 0 0 0": {1<<64 - 1, 7},
	} {
		if in, out := interfaceBytes(line); in != want[0] || out != want[1] {
			t.Errorf("%q: %d and %d", line, in, out)
		}
	}
}

func TestProcessorTimeIsReadFromTheUnifiedHierarchy(t *testing.T) {
	c := cgroup{hierarchies: hierarchies{v2: t.TempDir()}, name: "i-1"}
	if _, ok := c.cpuUsage(); ok {
		t.Error("a cgroup that is not there has used something")
	}
	if err := os.MkdirAll(c.top(), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(
		filepath.Join(c.top(), "cpu.stat"), []byte("usage_usec 2500000\nuser_usec 1\nsystem_usec 2\n"), 0o600,
	); err != nil {
		t.Fatal(err)
	}
	if used, ok := c.cpuUsage(); !ok || used != 2500*time.Millisecond {
		t.Errorf("%v %v", used, ok)
	}
}
