//go:build linux

package cloud

import (
	"slices"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/image"
)

func TestEveryBaseThatCanBeBuiltIsAPublicImage(t *testing.T) {
	for arch, want := range map[string]string{"amd64": "x86_64", "arm64": "arm64"} {
		var bases []string
		for _, i := range baseImages(arch) {
			bases = append(bases, i.Base)
			if i.Architecture != want || !strings.Contains(i.Name, arch) ||
				!strings.Contains(i.Parameters[0], "/"+arch) {
				t.Errorf("for %s: %+v", arch, i)
			}
		}
		if !slices.Equal(bases, image.Bases()) {
			t.Errorf("public images of %q, bases %q", bases, image.Bases())
		}
	}
}
