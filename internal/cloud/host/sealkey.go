//go:build linux

package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"aloft.dev/aloft/internal/cloud/seal"
)

// EnsureSealKey returns the key that seals the local cloud's secrets, and creates it if
// there is none. Only root can read its file. Values that were sealed with a key whose
// file is lost cannot be read again.
func EnsureSealKey(layout Layout) (*seal.Key, error) {
	path := layout.sealKey()
	secret, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		secret = seal.NewSecret()
		if err := writeFile(path, secret); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, fmt.Errorf("read the key of the local cloud's secrets: %w", err)
	}
	key, err := seal.NewKey(secret)
	if err != nil {
		return nil, fmt.Errorf("read the key of the local cloud's secrets in %s: %w", path, err)
	}
	return key, nil
}
