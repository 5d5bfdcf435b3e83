//go:build linux

package image

import (
	"os"
	"path/filepath"
	"strings"
)

// hostMirrors returns the archives from which the host itself installs packages
// (sources.list(5)), so that images are built from a company's mirror too. An archive's name
// is the last part of its URL. apt is the host's /etc/apt.
func hostMirrors(apt string) Mirrors {
	found := Mirrors{}
	paths := []string{filepath.Join(apt, "sources.list")}
	for _, pattern := range []string{"*.list", "*.sources"} {
		more, _ := filepath.Glob(filepath.Join(apt, "sources.list.d", pattern)) // the pattern is valid
		paths = append(paths, more...)
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
			url := strings.TrimSuffix(word, "/")
			for _, name := range mirrorNames {
				// Ubuntu's own archive for security updates has nothing else.
				if strings.HasSuffix(url, "/"+name) && !strings.Contains(url, "//security.ubuntu.com/") {
					found[name] = url
				}
			}
		}
	}
	return found
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
