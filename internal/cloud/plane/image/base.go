//go:build linux

package image

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"aloft.dev/aloft/internal/cloud/plane/filetree"
)

// EnsureBase returns the id of a base image's layer. It builds the layer if there is none,
// which downloads about 80 MB and takes up to a minute; progress receives each stage of the
// build and the fraction of the build completed before it. A store runs one build at a
// time, and other callers wait for it.
func (s *Store) EnsureBase(
	ctx context.Context, name string, progress func(stage string, fraction float64),
) (layer string, err error) {
	b, err := baseNamed(name)
	if err != nil {
		return "", fmt.Errorf("base image %q: %w", name, err)
	}
	b.distribution = b.with(s.Mirrors)
	if layer, err = s.baseLayer(b); err != nil {
		return "", fmt.Errorf("base image %s: %w", name, err)
	}
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
	if err := filetree.Remove(ctx, dir); err != nil {
		return "", fmt.Errorf("base image %s: %w", name, err)
	}
	if err := s.build(ctx, b, dir, layer, progress); err != nil {
		_ = filetree.Remove(context.WithoutCancel(ctx), dir)
		return "", fmt.Errorf("base image %s: %w", name, err)
	}
	return layer, nil
}

// baseLayer returns the id of the layer that a base image has by its present recipe. The mirrors are in use.
func (s *Store) baseLayer(b base) (string, error) {
	digest, err := recipeDigest(b, s.Mirrors)
	return b.name + "-" + digest, err
}

// isReplaced reports whether a layer is that of a base image, and the store has one by the present recipe.
func (s *Store) isReplaced(layer string) bool {
	for _, b := range bases() {
		if strings.HasPrefix(layer, b.name+"-") {
			b.distribution = b.with(s.Mirrors)
			present, err := s.baseLayer(b)
			return err == nil && layer != present && s.Has(present)
		}
	}
	return false
}

func (s *Store) build(ctx context.Context, b base, dir, layer string, progress func(string, float64)) error {
	if err := runMmdebstrap(ctx, b, s.Mirrors, dir, progress); err != nil {
		return err
	}
	progress("configure the image", 0.97)
	if err := configureBase(dir, b); err != nil {
		return err
	}
	return s.Commit(ctx, dir, layer)
}
