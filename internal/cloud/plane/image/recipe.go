//go:build linux

package image

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"slices"
)

// recipeDigest returns a digest of everything that determines the contents of a base image.
// It is part of the layer's id, so a changed recipe makes a new layer.
func recipeDigest(b base, mirrors Mirrors) (string, error) {
	h := sha256.New()
	_, _ = fmt.Fprintln(h, packages, maskedUnits, removedFiles, len(links), exclusionsHook, customizeHook(b.user))
	_, _ = fmt.Fprintln(h, b.suite, mirrors.lines())
	for _, path := range slices.Sorted(maps.Keys(b.ownFiles())) {
		_, _ = fmt.Fprintf(h, "%s\n%s", path, b.ownFiles()[path])
	}
	var pairs []string
	for path, target := range links {
		pairs = append(pairs, path+"\n"+target)
	}
	slices.Sort(pairs)
	for _, pair := range pairs {
		_, _ = fmt.Fprintln(h, pair)
	}
	err := fs.WalkDir(files, "files", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := files.ReadFile(path)
		_, _ = fmt.Fprintf(h, "%s %d\n%s", path, len(content), content)
		return err
	})
	return hex.EncodeToString(h.Sum(nil))[:10], err
}
