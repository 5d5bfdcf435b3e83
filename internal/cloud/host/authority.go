//go:build linux

package host

import (
	"fmt"
	"time"

	"aloft.dev/aloft/internal/cloud/authority"
	"aloft.dev/aloft/internal/cloud/durable"
)

// OpenAuthority returns the local cloud's certificate authority, and creates it if there is
// none. It writes the certificates of the roots to files that all may read.
func OpenAuthority(layout Layout) (*authority.Authority, error) {
	a, err := authority.Open(layout.Authority(), time.Now())
	if err != nil {
		return nil, err
	}
	for path, root := range map[string][]byte{
		layout.AuthorityRoot(): a.RootPEM(), layout.PublicRoot(): a.PublicRootPEM(),
	} {
		if err := durable.WriteFile(path, root, 0o644); err != nil {
			return nil, fmt.Errorf("write the root certificate %s: %w", path, err)
		}
	}
	return a, nil
}
