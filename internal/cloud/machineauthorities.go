//go:build linux

package cloud

import (
	"bytes"
	"fmt"
	"maps"
	"os"

	"aloft.dev/aloft/internal/cloud/durable"
	"aloft.dev/aloft/internal/cloud/plane/machine"
)

// withAuthorities writes what machines trust to a file: the host's certificate authorities, and the roots
// of the local cloud, so that VPC endpoints are who they say. It returns env, the host's environment,
// with that file in place of the host's. Machines of a host without authorities trust those of their image.
func withAuthorities(env map[string]string, path string, roots ...[]byte) (map[string]string, error) {
	own := machine.FindAuthorities(env)
	if own == "" {
		return env, nil
	}
	bundle, err := os.ReadFile(own)
	if err != nil {
		return nil, fmt.Errorf("read the host's certificate authorities: %w", err)
	}
	all := append([][]byte{bytes.TrimRight(bundle, "\n")}, roots...)
	if err := durable.WriteFile(path, bytes.Join(all, []byte("\n")), 0o644); err != nil {
		return nil, fmt.Errorf("write the certificate authorities of machines: %w", err)
	}
	trusting := map[string]string{}
	maps.Copy(trusting, env)
	trusting["SSL_CERT_FILE"] = path
	return trusting, nil
}
