//go:build linux

package host

import (
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"aloft.dev/aloft/internal/cloud/objectfile"
	"aloft.dev/aloft/internal/cloud/seal"
)

// EnsureSealKey returns the key that seals the local cloud's secrets, and creates it if
// there is none. Only root can read its file. Values that were sealed with a key whose
// file is lost cannot be read again.
func EnsureSealKey(layout Layout) (*seal.Key, error) {
	secret, err := ensureSealSecret(layout)
	if err != nil {
		return nil, err
	}
	key, err := seal.NewKey(secret)
	if err != nil {
		return nil, fmt.Errorf("read the key of the local cloud's secrets in %s: %w", layout.sealKey(), err)
	}
	return key, nil
}

// EnsureObjectKey returns the key that encrypts the objects of buckets, which derives from
// the key that seals secrets.
func EnsureObjectKey(layout Layout) ([]byte, error) {
	secret, err := ensureSealSecret(layout)
	if err != nil {
		return nil, err
	}
	return hkdf.Key(sha256.New, secret, nil, "objects", objectfile.KeySize)
}

func ensureSealSecret(layout Layout) ([]byte, error) {
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
	return secret, nil
}
