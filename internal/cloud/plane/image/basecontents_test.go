//go:build linux

package image

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRecipeDigestIsStable(t *testing.T) {
	digests := map[string]string{}
	digest := func(b base, m Mirrors) string {
		t.Helper()
		b.distribution = b.with(m)
		d, err := recipeDigest(b, m)
		if err != nil || len(d) != 10 {
			t.Fatalf("digest %q, %v", d, err)
		}
		return d
	}
	for _, b := range bases() {
		d := digest(b, nil)
		if other, ok := digests[d]; ok || digest(b, nil) != d {
			t.Errorf("%s has the digest of %q, or another one each time", b.name, other)
		}
		digests[d] = b.name
		if digest(b, Mirrors{b.distribution.name: "http://mirror.example/" + b.distribution.name}) == d {
			t.Errorf("%s: a mirror, which is in the image's sources.list, does not change the digest", b.name)
		}
	}
}

func TestImageHasExecutableHooksAndAProtectedSudoers(t *testing.T) {
	root := t.TempDir()
	b, err := baseNamed(Ubuntu2404)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second run must accept the result of the first
		if err := configureBase(root, b); err != nil {
			t.Fatal(err)
		}
	}
	modes := map[string]os.FileMode{
		"usr/lib/aloft/first-boot":            0o755,
		"usr/lib/aloft/cloud-init":            0o755,
		"etc/sudoers.d/90-aloft":              0o440,
		"etc/ssh/sshd_config.d/50-aloft.conf": 0o644,
	}
	for path, mode := range modes {
		if info, err := os.Stat(filepath.Join(root, path)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: got %v, %v; want mode %o", path, info, err, mode)
		}
	}
	for path, target := range links {
		if got, err := os.Readlink(filepath.Join(root, path)); err != nil || got != target {
			t.Errorf("%s links to %q, %v; want %s", path, got, err, target)
		}
	}
}
