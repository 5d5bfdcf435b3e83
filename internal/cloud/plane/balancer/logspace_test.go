//go:build linux

package balancer

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestOldestAccessLogsAreDeleted(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "old")
	if err := os.WriteFile(outside, make([]byte, 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	folder, now := t.TempDir(), time.Now()
	for i := range 10 {
		name := filepath.Join(folder, fmt.Sprintf("bucket-%d", i%2), fmt.Sprintf("%d.log.gz", i))
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, make([]byte, 100), 0o600); err != nil {
			t.Fatal(err)
		}
		at := now.Add(time.Duration(i-20) * time.Minute)
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Dir(outside), filepath.Join(folder, "link")); err != nil {
		t.Fatal(err)
	}
	if deleted, err := BoundLogs(folder, 2000); deleted != 0 || err != nil {
		t.Errorf("deleted %d files within the limit, %v", deleted, err)
	}
	if deleted, err := BoundLogs(folder, 450); deleted != 6 || err != nil {
		t.Errorf("deleted %d files, %v", deleted, err)
	}
	left, err := filepath.Glob(filepath.Join(folder, "bucket-*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range left {
		left[i] = filepath.Base(left[i])
	}
	slices.Sort(left)
	if want := []string{"6.log.gz", "7.log.gz", "8.log.gz", "9.log.gz"}; !slices.Equal(left, want) {
		t.Errorf("left are %v, want %v", left, want)
	}
	if _, err := os.Stat(outside); err != nil {
		t.Errorf("a file outside the folder: %v", err)
	}
	if deleted, err := BoundLogs(filepath.Join(folder, "missing"), 0); deleted != 0 || err != nil {
		t.Errorf("no folder: %d, %v", deleted, err)
	}
}
