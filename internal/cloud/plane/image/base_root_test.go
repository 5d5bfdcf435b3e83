//go:build root

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

func TestRealBuildThatIsInterruptedLeavesNothing(t *testing.T) {
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
		t.Fatalf("an interrupted build: %v", err)
	}
	t.Logf("ended %v after it was interrupted", time.Since(interrupted))
	if layers, err := s.List(); err != nil || len(layers) != 0 {
		t.Errorf("layers %v, %v", layers, err)
	}
	if rooms, err := os.ReadDir(s.newDirs()); err != nil || len(rooms) != 0 {
		t.Errorf("rooms %v, %v", rooms, err)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil || strings.Contains(string(mounts), s.dir) {
		t.Errorf("a mount is left: %v", err)
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
		t.Errorf("a base image that nobody knows: %v", err)
	}
}
