//go:build linux

package filetree_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/filetree"
)

// plantDeep creates directories inside each other, each with a file and a directory beside
// the next level.
func plantDeep(t *testing.T, dir string, levels int, name string) {
	t.Helper()
	at, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	for range levels {
		for _, made := range []string{name, "beside"} {
			if err := unix.Mkdirat(at, made, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if err := unix.Symlinkat("/", at, "link"); err != nil {
			t.Fatal(err)
		}
		below, err := unix.Openat(at, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		_ = unix.Close(at)
		at = below
	}
	_ = unix.Close(at)
}

// fewDescriptors lets the process open only a few files more than it has open.
func fewDescriptors(t *testing.T) {
	t.Helper()
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 64, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
			t.Error(err)
		}
	})
}

func assertGone(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s still exists: %v", path, err)
	}
}

func TestTreesOfEveryShapeAreRemoved(t *testing.T) {
	fewDescriptors(t)
	for name, plant := range map[string]func(t *testing.T, tree string){
		"deep":       func(t *testing.T, tree string) { plantDeep(t, tree, 300, "d") },
		"long paths": func(t *testing.T, tree string) { plantDeep(t, tree, 20, strings.Repeat("n", 255)) },
		"wide": func(t *testing.T, tree string) {
			for i := range 500 {
				if err := os.WriteFile(filepath.Join(tree, fmt.Sprint("file", i)), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		},
		"wide below deep": func(t *testing.T, tree string) {
			for i := range 8 {
				sub := filepath.Join(tree, fmt.Sprint("sub", i))
				if err := os.Mkdir(sub, 0o700); err != nil {
					t.Fatal(err)
				}
				plantDeep(t, sub, 40, "d")
			}
		},
		"empty": func(*testing.T, string) {},
	} {
		t.Run(name, func(t *testing.T) {
			tree := filepath.Join(t.TempDir(), "tree")
			if err := os.Mkdir(tree, 0o700); err != nil {
				t.Fatal(err)
			}
			plant(t, tree)
			if err := filetree.Remove(t.Context(), tree); err != nil {
				t.Fatal(err)
			}
			assertGone(t, tree)
		})
	}
}

func TestWhatLinksReferToStays(t *testing.T) {
	dir := t.TempDir()
	kept := filepath.Join(dir, "kept", "file")
	link := filepath.Join(dir, "link")
	tree := filepath.Join(dir, "tree")
	err := errors.Join(
		os.MkdirAll(filepath.Dir(kept), 0o700), os.WriteFile(kept, nil, 0o600),
		os.Mkdir(tree, 0o700), os.Symlink("../kept", filepath.Join(tree, "link")), os.Symlink("kept", link),
	)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{tree, link, filepath.Join(dir, "absent"), filepath.Join(dir, "absent", "too")} {
		if err := filetree.Remove(t.Context(), path); err != nil {
			t.Error(err)
		}
		assertGone(t, path)
	}
	if _, err := os.Stat(kept); err != nil {
		t.Error(err)
	}
}

func TestARemovalThatFailedIsContinued(t *testing.T) {
	tree := filepath.Join(t.TempDir(), "tree")
	if err := os.Mkdir(tree, 0o700); err != nil {
		t.Fatal(err)
	}
	plantDeep(t, tree, 50, "d")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	err := filetree.Remove(ended, tree)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), tree) {
		t.Errorf("a removal whose context has ended: %v", err)
	}
	if err := filetree.Remove(t.Context(), tree); err != nil {
		t.Error(err)
	}
	assertGone(t, tree)
}

func TestOnlyDirectoriesAreRemovedOfATreeOfDirectories(t *testing.T) {
	tree := filepath.Join(t.TempDir(), "tree")
	if err := os.MkdirAll(filepath.Join(tree, "a", "b", "c"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := filetree.RemoveDirs(t.Context(), tree, time.Millisecond); err != nil {
		t.Error(err)
	}
	assertGone(t, tree)
	if err := os.MkdirAll(filepath.Join(tree, "a"), 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(tree, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	soon, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := filetree.RemoveDirs(soon, tree, time.Millisecond)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a directory that cannot be removed: %v", err)
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}
