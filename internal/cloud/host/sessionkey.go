//go:build linux

package host

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"aloft.dev/aloft/internal/cloud/session"
)

// EnsureSessionKey returns the key that seals a local cloud's session tokens and creates
// it if there is none. Only root can read its file. Without the file, all temporary
// credentials become invalid.
func EnsureSessionKey(layout Layout) ([]byte, error) {
	path := layout.sessionKey()
	key, err := os.ReadFile(path)
	switch {
	case err == nil && len(key) != session.KeySize:
		return nil, fmt.Errorf("the key of session tokens in %s has %d bytes, want %d", path, len(key), session.KeySize)
	case err == nil:
		return key, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("read the key of session tokens: %w", err)
	}
	key = make([]byte, session.KeySize)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("create the key of session tokens: %w", err)
	}
	return key, writeFile(path, key)
}
