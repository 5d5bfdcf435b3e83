//go:build linux

package machine

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// hierarchies are the host's mounted cgroup hierarchies. Hosts have one of three layouts:
// version 2 alone; version 1 alone, which cannot run machines because their systemd needs
// version 2; or both, with the controllers in version 1 hierarchies and a version 2
// hierarchy beside them (cgroups(7), "Cgroups version 2").
type hierarchies struct {
	v2 string            // mount point of version 2
	v1 map[string]string // version 1: controller to mount point; empty where version 2 has the controllers
}

// controllers are the cgroup controllers that enforce a machine's limits.
var controllers = []string{"cpu", "memory", "pids"}

// ioController limits disks. It has two names, and kernels may lack it (CONFIG_BLK_DEV_THROTTLING).
const (
	ioController = "io"
	ioVersion1   = "blkio"
)

func findHierarchies() (hierarchies, error) {
	h := hierarchies{v1: map[string]string{}}
	f, err := os.Open("/proc/self/mounts")
	if err != nil {
		return h, fmt.Errorf("find cgroups: %w", err)
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
				if option == ioVersion1 {
					option = ioController
				}
				if option == ioController || slices.Contains(controllers, option) {
					h.v1[option] = fields[1]
				}
			}
		}
	}
	if h.v2 == "" {
		return h, errors.New("find cgroups: no version 2 hierarchy is mounted")
	}
	return h, nil
}
