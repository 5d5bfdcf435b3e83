//go:build linux

package balancer

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// spool returns a folder with files of 100 bytes, each a minute newer than the one before, a
// file that is still written, and a link to the outside.
func spool(t *testing.T, files int) string {
	t.Helper()
	folder, outside := t.TempDir(), t.TempDir()
	write := func(name string, at time.Time) {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.WriteFile(name, make([]byte, 100), 0o600), os.Chtimes(name, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	for i := range files {
		at := now.Add(time.Duration(i-20) * time.Minute)
		write(filepath.Join(folder, fmt.Sprintf("bucket-%d", i%2), fmt.Sprintf("%d.log.gz", i)), at)
	}
	write(filepath.Join(folder, "bucket-0", "x.log.gz.part"), now)
	write(filepath.Join(outside, "secret"), now)
	for link, to := range map[string]string{"folder": outside, "file.log.gz": filepath.Join(outside, "secret")} {
		if err := os.Symlink(to, filepath.Join(folder, link)); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// left returns the names of the files in the buckets' folders.
func left(t *testing.T, folder string) (names []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "bucket-*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		names = append(names, filepath.Base(path))
	}
	slices.Sort(names)
	return names
}

func TestFinishedFilesAreDeliveredInOrder(t *testing.T) {
	folder := spool(t, 4)
	var got []string
	s := Spool{Dir: folder, Deliver: func(name string, _ time.Time, content io.Reader) error {
		text, err := io.ReadAll(content)
		got = append(got, fmt.Sprint(name, " ", len(text)))
		return err
	}}
	if dropped, err := s.Empty(); dropped != 0 || err != nil {
		t.Errorf("dropped %d, %v", dropped, err)
	}
	want := []string{
		"bucket-0/0.log.gz 100", "bucket-1/1.log.gz 100", "bucket-0/2.log.gz 100", "bucket-1/3.log.gz 100",
	}
	if !slices.Equal(got, want) {
		t.Errorf("delivered %v, want %v", got, want)
	}
	if names := left(t, folder); !slices.Equal(names, []string{"x.log.gz.part"}) {
		t.Errorf("left are %v", names)
	}
}

func TestFilesThatCannotBeDeliveredAreKeptWithinTheLimit(t *testing.T) {
	folder, full := spool(t, 6), errors.New("the disk is full")
	s := Spool{Dir: folder, Limit: 250, Deliver: func(name string, _ time.Time, _ io.Reader) error {
		if name == "bucket-1/5.log.gz" {
			return ErrUndeliverable
		}
		return full
	}}
	dropped, err := s.Empty()
	if dropped != 4 || !errors.Is(err, full) {
		t.Errorf("dropped %d, %v", dropped, err)
	}
	if names := left(t, folder); !slices.Equal(names, []string{"3.log.gz", "4.log.gz", "x.log.gz.part"}) {
		t.Errorf("left are %v", names)
	}
	s.Dir = filepath.Join(folder, "missing")
	if dropped, err := s.Empty(); dropped != 0 || err != nil {
		t.Errorf("no folder: %d, %v", dropped, err)
	}
}
