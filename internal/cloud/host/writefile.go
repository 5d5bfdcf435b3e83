//go:build linux

package host

import (
	"fmt"
	"os"
	"path/filepath"

	"aloft.dev/aloft/internal/cloud/durable"
)

// writeFile replaces a file so that it survives a loss of power, and creates its folder.
// Only root can read it.
func writeFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("create the folder of %s: %w", path, err)
	}
	return durable.WriteFile(path, data, 0o600)
}
