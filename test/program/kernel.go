package program

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// KernelObjects lists what a local cloud creates on the host: mounts (which pin
// namespaces), network devices, nftables tables, routes, control groups and
// processes. Compare the lists from before and after with Added.
func KernelObjects(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, "/run/alo") || strings.Contains(line, "aloft") {
			_, _ = fmt.Fprint(&out, "mount ", line)
		}
	}
	links, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if strings.HasPrefix(link.Name, "alo") {
			_, _ = fmt.Fprintln(&out, "device", link.Name)
		}
	}
	for _, pattern := range []string{"/sys/fs/cgroup/*/alo*/i-*", "/sys/fs/cgroup/alo*/i-*"} {
		groups, _ := filepath.Glob(pattern)
		for _, group := range groups {
			_, _ = fmt.Fprintln(&out, "cgroup", group)
		}
	}
	for _, args := range [][]string{
		{"nft", "list", "tables"}, {"ip", "route", "show", "table", "all", "198.18.0.0/15"},
	} {
		listed, err := exec.Command(args[0], args[1:]...).Output()
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		for line := range strings.Lines(string(listed)) {
			_, _ = fmt.Fprintf(&out, "%s: %s", args[0], line)
		}
	}
	processes, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, process := range processes {
		if exe, err := os.Readlink(process); err == nil && strings.Contains(exe, "/bin/aloft") {
			_, _ = fmt.Fprintln(&out, "process", filepath.Dir(process), exe)
		}
	}
	return out.String()
}

// Added returns the lines of now that before lacks.
func Added(before, now string) string {
	was := strings.Split(before, "\n")
	known := func(line string) bool { return slices.Contains(was, line) }
	return strings.Join(slices.DeleteFunc(strings.Split(now, "\n"), known), "\n")
}
