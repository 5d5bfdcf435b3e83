//go:build linux

package machine

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// launcherMounts are the mounts that launchers need in any case: the kernel's filesystems,
// without which a user namespace cannot mount its own, and devices (createDevices).
var launcherMounts = []string{"/proc", "/sys", "/dev"}

// dropMounts removes all mounts from the thread's mount namespace, which no other shares, but
// those with the files that a launcher needs: a launcher outlives what others mount, such as
// the disks of other machines, and must not keep it in use.
func dropMounts(files ...string) error {
	needed := slices.Clone(launcherMounts)
	for _, file := range files {
		if target, err := filepath.EvalSymlinks(file); err == nil {
			needed = append(needed, target)
		}
		needed = append(needed, file)
	}
	mounts, err := mountPoints()
	if err != nil {
		return err
	}
	for _, mount := range slices.Backward(mounts) { // what is mounted on others comes later
		if strings.HasPrefix(mount, "/dev/") || slices.ContainsFunc(needed, func(file string) bool {
			return contains(mount, file)
		}) {
			continue
		}
		err := unix.Unmount(mount, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
		if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) { // hidden below another
			return fmt.Errorf("drop the mount %s: %w", mount, err)
		}
	}
	return nil
}

// contains reports whether the file is in the folder dir, or dir itself.
func contains(dir, file string) bool {
	return dir == "/" || file == dir || strings.HasPrefix(file, dir+"/")
}

// mountPoints returns where something is mounted in the thread's mount namespace (proc(5),
// /proc/pid/mountinfo).
func mountPoints() ([]string, error) {
	f, err := os.Open("/proc/thread-self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("list mounts: %w", err)
	}
	defer func() { _ = f.Close() }()
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	var points []string
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) > 4 {
			points = append(points, unescape.Replace(fields[4]))
		}
	}
	return points, lines.Err()
}
