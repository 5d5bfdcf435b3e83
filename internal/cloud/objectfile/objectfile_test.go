package objectfile_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"aloft.dev/aloft/internal/cloud/objectfile"
)

func open(t *testing.T, dir string) *objectfile.Folder {
	t.Helper()
	f, err := objectfile.Open(dir, bytes.Repeat([]byte{7}, objectfile.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func write(t *testing.T, f *objectfile.Folder, content []byte) string {
	t.Helper()
	w, err := f.Create()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	id, size, err := w.Commit()
	if err != nil || size != int64(len(content)) {
		t.Fatal(id, size, err)
	}
	return id
}

func read(t *testing.T, f *objectfile.Folder, id string, offset int64) []byte {
	t.Helper()
	r, err := f.Open(id, offset)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	return content
}

// files returns the paths of all files.
func files(t *testing.T, dir string) (paths []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func TestContentIsReadFromEveryOffset(t *testing.T) {
	dir := t.TempDir()
	content := make([]byte, 1000)
	for i := range content {
		content[i] = byte(rand.N(256))
	}
	id := write(t, open(t, dir), content)
	f := open(t, dir) // another daemon
	for _, offset := range []int64{0, 1, 15, 16, 17, 500, 999, 1000} {
		if got := read(t, f, id, offset); !bytes.Equal(got, content[offset:]) {
			t.Errorf("from %d on: got %d bytes that differ", offset, len(got))
		}
	}
}

func TestFilesAreEncrypted(t *testing.T) {
	dir := t.TempDir()
	content := bytes.Repeat([]byte("a customer's address "), 10)
	f := open(t, dir)
	write(t, f, content)
	write(t, f, content)
	var seen [][]byte
	for _, path := range files(t, dir) {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(raw, []byte("customer")) {
			t.Error("content is readable on disk")
		}
		seen = append(seen, raw[16:])
	}
	if len(seen) != 2 || bytes.Equal(seen[0], seen[1]) {
		t.Errorf("%d files, or equal ones", len(seen))
	}
}

func TestALinkOutlivesItsFile(t *testing.T) {
	f := open(t, t.TempDir())
	id := write(t, f, []byte("content"))
	other, err := f.Link(id)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Remove(id); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Open(id, 0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a removed file is opened: %v", err)
	}
	if got := read(t, f, other, 0); string(got) != "content" {
		t.Errorf("got %q", got)
	}
}

func TestLeftoversAreRemoved(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	id := write(t, f, []byte("kept"))
	write(t, f, []byte("left"))
	unfinished, err := f.Create()
	if err != nil {
		t.Fatal(err)
	}
	defer unfinished.Discard()
	if err := open(t, dir).Retain(func(other string) bool { return other == id }); err != nil {
		t.Fatal(err)
	}
	if left := files(t, dir); len(left) != 1 || filepath.Base(left[0]) != id {
		t.Errorf("files %v", left)
	}
	if err := f.Remove(id, id); err != nil {
		t.Errorf("removing a file twice: %v", err)
	}
}
