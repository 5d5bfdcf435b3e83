//go:build linux

package image

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"
)

// recipeDigest returns a digest of everything that determines the contents of the base
// image. It is part of the layer's id, so a changed recipe makes a new layer.
func recipeDigest() (string, error) {
	h := sha256.New()
	_, _ = fmt.Fprintln(h, packages, maskedUnits, removedFiles, len(links), exclusionsHook, customizeHook)
	var pairs []string
	for path, target := range links {
		pairs = append(pairs, path+"\n"+target)
	}
	slices.Sort(pairs)
	for _, pair := range pairs {
		_, _ = fmt.Fprintln(h, pair)
	}
	err := fs.WalkDir(debianFiles, "debian", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := debianFiles.ReadFile(path)
		_, _ = fmt.Fprintf(h, "%s %d\n%s", path, len(content), content)
		return err
	})
	return hex.EncodeToString(h.Sum(nil))[:10], err
}
