//go:build linux

package image

import (
	"bytes"
	"context"
	"os/exec"
)

// HostAptSettings returns the settings that the host's apt uses to reach its archive:
// lines of apt.conf. A host without apt has none.
func HostAptSettings(ctx context.Context) []string {
	out, err := exec.CommandContext(ctx, "apt-config", "dump").Output()
	if err != nil {
		return nil
	}
	return archiveSettings(out)
}

// archiveSettings selects, from the output of apt-config dump, the settings that apt needs
// to reach an archive: proxies, and tolerance of a mirror's outdated signatures
// (apt.conf(5)).
func archiveSettings(dump []byte) []string {
	prefixes := []string{
		"Acquire::http::Proxy ", "Acquire::https::Proxy ", "Acquire::Check-Valid-Until ", "Acquire::Check-Date ",
	}
	var kept []string
	for line := range bytes.Lines(dump) {
		for _, prefix := range prefixes {
			if bytes.HasPrefix(line, []byte(prefix)) {
				kept = append(kept, string(bytes.TrimSpace(line)))
			}
		}
	}
	return kept
}
