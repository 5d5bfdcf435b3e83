//go:build linux

package program

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/host"
)

// prefix is how the names of local clouds' devices and nftables tables begin (host.LayoutFor).
const prefix = "alo"

// KernelObjects lists what local clouds create on the host: mounts (which pin
// namespaces), network devices, nftables tables, routes and processes; and the
// loop devices and control groups of the program's own local cloud. Compare the
// lists from before and after with Added. It leaves out what tests create
// meanwhile in other namespaces (scripts/testhost.sh) and under other names:
// loop devices and control groups are in no namespace.
func (p Program) KernelObjects(t *testing.T) string {
	t.Helper()
	layout, err := host.LayoutFor(p.State)
	if err != nil {
		t.Fatal(err)
	}
	lines := slices.Concat(mounts(t), p.loops(t), devices(t))
	for _, root := range []string{"/sys/fs/cgroup/*/", "/sys/fs/cgroup/"} {
		groups, _ := filepath.Glob(root + layout.Prefix + "/i-*")
		for _, group := range groups {
			lines = append(lines, "cgroup "+group)
		}
	}
	for _, args := range [][]string{
		{"nft", "list", "tables"}, {"ip", "route", "show", "table", "all", "198.18.0.0/15"},
	} {
		for line := range strings.Lines(Exec(t, args[0], args[1:]...)) {
			if strings.Contains(line, " "+prefix) {
				lines = append(lines, args[0]+": "+strings.TrimSpace(line))
			}
		}
	}
	processes, _ := filepath.Glob("/proc/[0-9]*/exe")
	aloft := binary(t) // other tests build their own
	for _, process := range processes {
		if exe, err := os.Readlink(process); err == nil && strings.HasPrefix(exe, aloft) {
			lines = append(lines, "process "+filepath.Dir(process)+" "+exe)
		}
	}
	return strings.Join(lines, "\n")
}

func mounts(t *testing.T) (lines []string) {
	t.Helper()
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(table)) {
		if strings.Contains(line, "/run/alo") || strings.Contains(line, "aloft") {
			lines = append(lines, "mount "+strings.TrimSpace(line))
		}
	}
	return lines
}

// loops lists the loop devices of machines' disks and of layers.
func (p Program) loops(t *testing.T) (lines []string) {
	t.Helper()
	backing, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range backing {
		content, err := os.ReadFile(path)
		if err != nil {
			continue // it ended
		}
		if file := string(content); strings.HasPrefix(file, p.State+"/") {
			lines = append(lines, "loop device of "+strings.TrimSpace(file))
		}
	}
	return lines
}

func devices(t *testing.T) (lines []string) {
	t.Helper()
	links, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if strings.HasPrefix(link.Name, prefix) {
			lines = append(lines, "device "+link.Name)
		}
	}
	return lines
}

// Added returns the lines of now that before lacks.
func Added(before, now string) string {
	was := strings.Split(before, "\n")
	known := func(line string) bool { return slices.Contains(was, line) }
	return strings.Join(slices.DeleteFunc(strings.Split(now, "\n"), known), "\n")
}
