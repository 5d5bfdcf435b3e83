package cloud

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Credentials are the access key with which requests to the local cloud are
// signed. Only root can read them: who can call the local cloud can start
// machines on this host.
type Credentials struct {
	AccessKeyID     string `json:"access_key_id"`
	SecretAccessKey string `json:"secret_access_key"`
}

// ReadCredentials reads the credentials of the local cloud at the place. The
// error wraps fs.ErrNotExist when it was never started.
func ReadCredentials(place Place) (Credentials, error) {
	var c Credentials
	data, err := os.ReadFile(place.credentials())
	if err != nil {
		return c, fmt.Errorf("read the local cloud's credentials: %w", err)
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("read the local cloud's credentials in %s: %w", place.credentials(), err)
	}
	return c, nil
}

// ensureCredentials makes credentials on the first start.
func ensureCredentials(place Place) (Credentials, error) {
	c, err := ReadCredentials(place)
	if !errors.Is(err, fs.ErrNotExist) {
		return c, err
	}
	random := make([]byte, 45)
	if _, err := rand.Read(random); err != nil {
		return c, fmt.Errorf("make credentials: %w", err)
	}
	c = Credentials{
		AccessKeyID:     "AKIA" + keyText(random[:10]),
		SecretAccessKey: base64.RawURLEncoding.EncodeToString(random[15:]),
	}
	data, err := json.Marshal(c)
	if err != nil {
		return c, fmt.Errorf("write credentials: %w", err)
	}
	return c, writeFile(place.credentials(), data)
}

// keyText renders 10 bytes as the 16 characters of an access key id.
func keyText(random []byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	var out []byte
	var bits, held uint
	for _, b := range random {
		bits, held = bits<<8|uint(b), held+8
		for held >= 5 {
			held -= 5
			out = append(out, alphabet[bits>>held&31])
		}
	}
	return string(out)
}

// writeFile writes a file that only root can read, whole or not at all.
func writeFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("create the folder of %s: %w", path, err)
	}
	half := path + ".new"
	if err := os.WriteFile(half, data, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(half, path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
