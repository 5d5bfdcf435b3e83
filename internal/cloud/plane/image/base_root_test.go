//go:build linux && root

package image

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestRealUnreachableArchiveIsNamedWithTheMirrorSetting(t *testing.T) {
	s := openStore(t)
	s.Mirrors = Mirrors{"debian": "http://127.0.0.1:9/debian", "debian-security": "http://127.0.0.1:9/debian-security"}
	_, err := s.EnsureBase(t.Context(), Debian13, func(string, float64) {})
	if err == nil {
		t.Fatal("it was built")
	}
	for _, want := range []string{"http://127.0.0.1:9/debian", "aloft local start --mirror debian=URL", "connect"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
}

func TestRealInterruptedBuildLeavesNothing(t *testing.T) {
	s := openStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	var interrupted time.Time
	_, err := s.EnsureBase(ctx, Debian12, func(stage string, _ float64) {
		if stage == "extract packages" {
			interrupted = time.Now()
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("an interrupted build returned %v, want context.Canceled", err)
	}
	t.Logf("the build ended %v after the interrupt", time.Since(interrupted))
	if layers, err := s.List(); err != nil || len(layers) != 0 {
		t.Errorf("layers left: %v, %v", layers, err)
	}
	if dirs, err := os.ReadDir(s.uncommitted()); err != nil || len(dirs) != 0 {
		t.Errorf("directories left: %v, %v", dirs, err)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil || strings.Contains(string(mounts), s.dir) {
		t.Errorf("a mount of the build is left: %v", err)
	}
	roots, err := filepath.Glob("/proc/[0-9]*/root")
	if err != nil {
		t.Fatal(err)
	}
	for _, root := range roots {
		if target, err := os.Readlink(root); err == nil && strings.HasPrefix(target, s.dir) {
			t.Errorf("a process is left in the half-built image: %s", root)
		}
	}
	if _, err := s.EnsureBase(t.Context(), "windows-95", nil); !errors.Is(err, ErrNoBase) {
		t.Errorf("an unknown base image returned %v, want ErrNoBase", err)
	}
}
