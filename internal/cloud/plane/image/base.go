//go:build linux

package image

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Debian12 is the name of the only base image that can be built.
const Debian12 = "debian-12"

// ErrNoBase is returned for the name of a base image that cannot be built.
var ErrNoBase = errors.New("there is no such base image")

// EnsureBase returns the id of a base image's layer. It builds the layer if there is none,
// which downloads about 80 MB and takes half a minute; progress receives each stage of the
// build and the fraction of the build completed before it. A store runs one build at a
// time, and other callers wait for it.
func (s *Store) EnsureBase(
	ctx context.Context, name string, progress func(stage string, fraction float64),
) (layer string, err error) {
	if name != Debian12 {
		return "", fmt.Errorf("base image %q: %w", name, ErrNoBase)
	}
	digest, err := recipeDigest()
	if err != nil {
		return "", fmt.Errorf("base image %s: %w", name, err)
	}
	layer = name + "-" + digest
	if s.Has(layer) {
		return layer, nil
	}
	unlock, err := lockFile(ctx, filepath.Join(s.dir, "building"))
	if err != nil {
		return "", fmt.Errorf("base image %s: %w", name, err)
	}
	defer unlock()
	if s.Has(layer) {
		return layer, nil
	}
	dir := filepath.Join(s.uncommitted(), layer) // a fixed name, so that a new build replaces an interrupted one
	if err := os.RemoveAll(dir); err != nil {
		return "", fmt.Errorf("base image %s: %w", name, err)
	}
	if err := s.build(ctx, dir, layer, progress); err != nil {
		_ = os.RemoveAll(dir)
		return "", fmt.Errorf("base image %s: %w", name, err)
	}
	return layer, nil
}

func (s *Store) build(ctx context.Context, dir, layer string, progress func(string, float64)) error {
	if err := runMmdebstrap(ctx, dir, progress); err != nil {
		return err
	}
	progress("configure the image", 0.97)
	if err := configureBase(dir); err != nil {
		return err
	}
	return s.Commit(ctx, dir, layer)
}
