//go:build linux

package machine

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// maxTerminals limits the pseudoterminals of a machine: each login over SSH has one.
const maxTerminals = 256

// createDevices fills /dev. A user namespace cannot create device nodes, so those of the
// host are bound; all of them are harmless.
func createDevices(dev, consolePath string) error {
	for _, name := range []string{"null", "zero", "full", "random", "urandom", "tty"} {
		if err := bindFile("/dev/"+name, filepath.Join(dev, name)); err != nil {
			return err
		}
	}
	if err := bindFile(consolePath, filepath.Join(dev, "console")); err != nil {
		return err
	}
	pts := filepath.Join(dev, "pts")
	if err := os.Mkdir(pts, 0o755); err != nil {
		return fmt.Errorf("create /dev: %w", err)
	}
	// Group 5 is tty on Debian. All machines share the kernel's number of terminals (pty(7),
	// /proc/sys/kernel/pty/max); root in a machine can still mount another instance.
	options := fmt.Sprintf("newinstance,ptmxmode=0666,mode=0620,gid=5,max=%d", maxTerminals)
	if err := unix.Mount("devpts", pts, "devpts", unix.MS_NOSUID|unix.MS_NOEXEC, options); err != nil {
		return fmt.Errorf("mount devpts: %w", err)
	}
	for name, target := range map[string]string{
		"ptmx":   "pts/ptmx",
		"fd":     "/proc/self/fd",
		"stdin":  "/proc/self/fd/0",
		"stdout": "/proc/self/fd/1",
		"stderr": "/proc/self/fd/2",
	} {
		if err := os.Symlink(target, filepath.Join(dev, name)); err != nil {
			return fmt.Errorf("create /dev: %w", err)
		}
	}
	return nil
}

// bindFile makes the host's file source visible at target.
func bindFile(source, target string) error {
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return fmt.Errorf("bind %s: %w", source, err)
	}
	f, err := os.OpenFile(target, os.O_CREATE|os.O_RDONLY, 0o644)
	if err != nil {
		return fmt.Errorf("bind %s: %w", source, err)
	}
	_ = f.Close()
	if err := unix.Mount(source, target, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("bind %s: %w", source, err)
	}
	return nil
}
