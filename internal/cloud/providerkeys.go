//go:build linux

package cloud

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"

	"aloft.dev/aloft/internal/cloud/webidentity"
)

// maxProviderKeys is the size limit of the file with a provider's keys, in bytes.
const maxProviderKeys = 1 << 20

// providerKeys returns the keys of the OpenID Connect provider with a URL, without its scheme. The user puts the
// provider's set of keys into the state folder. It is read for each token, so that new keys count at once.
func (d *daemon) providerKeys(address string) (webidentity.Keys, error) {
	name := filepath.Join(d.Layout.OpenIDKeys(), url.PathEscape(address)+".json")
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read the keys of %s: %w", address, err)
	}
	defer func() { _ = file.Close() }() // read only
	text, err := io.ReadAll(io.LimitReader(file, maxProviderKeys))
	if err != nil {
		return nil, fmt.Errorf("read the keys of %s: %w", address, err)
	}
	return webidentity.ParseKeys(text)
}
