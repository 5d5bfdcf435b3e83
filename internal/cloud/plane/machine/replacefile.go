//go:build linux

package machine

import "os"

// replaceFile replaces the content of a file on a machine's own disk atomically. It does
// not wait for the disk, as little else does that runs while a system boots.
func replaceFile(path, content string, mode os.FileMode) error {
	next := path + ".new"
	if err := os.WriteFile(next, []byte(content), mode); err != nil {
		return err
	}
	return os.Rename(next, path)
}
