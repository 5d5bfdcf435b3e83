//go:build linux

package volume

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// rules are for the host's udev: that it reads no content of volumes, which machines write. It
// would look for filesystems and for parts of volume groups and RAIDs, link them below /dev/disk
// by the names that they give themselves, and have them put together (udev(7),
// 60-persistent-storage.rules). %s is the folder of volumes.
const rules = `# Written by Aloft: what machines write to their volumes is none of the host's filesystems.
SUBSYSTEM=="block", KERNEL=="loop*", ATTR{loop/backing_file}=="%s/*", OPTIONS="nowatch", ` +
	`ENV{UDEV_DISABLE_PERSISTENT_STORAGE_RULES_FLAG}="1", ENV{SYSTEMD_READY}="0", ENV{UDISKS_IGNORE}="1"
`

// HideFromUdev keeps the host's udev, if it has one, away from the contents until the host
// restarts. run is udev's folder, /run/udev; name tells stores apart.
func (s *Store) HideFromUdev(run, name string) error {
	if _, err := os.Stat(run); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	folder := filepath.Join(run, "rules.d")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("hide volumes from udev: %w", err)
	}
	path, err := filepath.EvalSymlinks(s.dir)
	if err != nil {
		return fmt.Errorf("hide volumes from udev: %w", err)
	}
	file := filepath.Join(folder, "10-"+name+"-volumes.rules")
	if err := os.WriteFile(file, fmt.Appendf(nil, rules, path), 0o644); err != nil {
		return fmt.Errorf("hide volumes from udev: %w", err)
	}
	return nil
}
