//go:build linux

package host

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Credentials are the access key that signs requests to the local cloud. Only
// root can read them, because they allow starting machines on this host.
type Credentials struct {
	AccessKeyID     string `json:"access_key_id"`
	SecretAccessKey string `json:"secret_access_key"`
}

// ReadCredentials reads a local cloud's credentials. The error wraps
// fs.ErrNotExist if the local cloud was never started.
func ReadCredentials(layout Layout) (Credentials, error) {
	var c Credentials
	path := layout.credentials()
	data, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("read the local cloud's credentials: %w", err)
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("read the local cloud's credentials in %s: %w", path, err)
	}
	return c, nil
}

// EnsureCredentials returns a local cloud's credentials and creates them if
// there are none.
func EnsureCredentials(layout Layout) (Credentials, error) {
	c, err := ReadCredentials(layout)
	if !errors.Is(err, fs.ErrNotExist) {
		return c, err
	}
	random := make([]byte, 45)
	if _, err := rand.Read(random); err != nil {
		return c, fmt.Errorf("create credentials: %w", err)
	}
	c = Credentials{
		AccessKeyID:     "AKIA" + encodeAccessKeyID(random[:10]),
		SecretAccessKey: base64.RawURLEncoding.EncodeToString(random[15:]),
	}
	data, err := json.Marshal(c)
	if err != nil {
		return c, fmt.Errorf("encode credentials: %w", err)
	}
	return c, writeFile(layout.credentials(), data)
}

// encodeAccessKeyID encodes 10 bytes as the 16 characters of an access key id
// that follow its prefix.
func encodeAccessKeyID(random []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(random)
}
