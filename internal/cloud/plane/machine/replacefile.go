//go:build linux

package machine

import "os"

// replaceFile replaces a file's content atomically.
func replaceFile(path, content string, mode os.FileMode) error {
	next := path + ".new"
	if err := os.WriteFile(next, []byte(content), mode); err != nil {
		return err
	}
	return os.Rename(next, path)
}
