//go:build linux

package image

import (
	"os"
	"path/filepath"
	"strings"
)

// Debian's own archive, for hosts that name no mirror.
const (
	archive  = "http://deb.debian.org/debian"
	security = "http://deb.debian.org/debian-security"
)

// hostMirrors returns the URLs from which a Debian host installs packages and security
// updates (sources.list(5)), so that machines use a company's mirror too. For any other
// host it returns Debian's own archive. apt is the host's /etc/apt.
func hostMirrors(apt string) (main, updates string) {
	main, updates = archive, security
	paths := []string{filepath.Join(apt, "sources.list")}
	for _, pattern := range []string{"*.list", "*.sources"} {
		found, _ := filepath.Glob(filepath.Join(apt, "sources.list.d", pattern)) // the pattern is valid
		paths = append(paths, found...)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // a source that cannot be read is not used
		}
		for word := range strings.FieldsSeq(stripComments(string(data))) {
			if !strings.HasPrefix(word, "http://") && !strings.HasPrefix(word, "https://") {
				continue
			}
			switch url := strings.TrimSuffix(word, "/"); {
			case strings.HasSuffix(url, "/debian"):
				main = url
			case strings.HasSuffix(url, "/debian-security"):
				updates = url
			}
		}
	}
	return main, updates
}

func stripComments(text string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") {
			_, _ = kept.WriteString(line)
		}
	}
	return kept.String()
}
