//go:build linux

package image

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// little is the room that archives have in these tests.
var little = room{bytes: 1 << 20, files: 200}

// archiveEntry draws an entry of a hostile archive, whose names collide often.
func archiveEntry(t *rapid.T) entry {
	name := rapid.Custom(func(t *rapid.T) string {
		part := rapid.SampledFrom([]string{"a", "b", "..", ".", "", "outside", "secret", ".wh.a", ".wh..wh..opq"})
		prefix := rapid.SampledFrom([]string{"", "", "/", "./", "//"}).Draw(t, "prefix")
		return prefix + strings.Join(rapid.SliceOfN(part, 0, 5).Draw(t, "parts"), "/")
	})
	e := entry{
		kind: rapid.SampledFrom([]byte{
			tar.TypeReg, tar.TypeReg, tar.TypeDir, tar.TypeSymlink, tar.TypeLink,
			tar.TypeChar, tar.TypeBlock, tar.TypeFifo,
		}).Draw(t, "kind"),
		name: name.Draw(t, "name"), text: name.Draw(t, "text"),
	}
	attribute := rapid.SampledFrom([]string{
		"", "user.mine", "user.overlay.opaque", "trusted.overlay.redirect", "trusted.x", "security.selinux",
	}).Draw(t, "attribute")
	mode := rapid.SampledFrom([]int64{0, 0o644, 0o6777, 0o1777}).Draw(t, "mode")
	e.more = func(h *tar.Header) {
		h.Mode = mode
		if attribute != "" {
			h.PAXRecords = map[string]string{"SCHILY.xattr." + attribute: "y"}
		}
	}
	return e
}

// FuzzUnpack unpacks hostile archives. Whatever is in them stays below the root.
func FuzzUnpack(f *testing.F) { f.Fuzz(rapid.MakeFuzz(unpacksWithinTheRoot)) }

func TestHostileArchivesStayWithinTheRoot(t *testing.T) { rapid.Check(t, unpacksWithinTheRoot) }

func unpacksWithinTheRoot(t *rapid.T) {
	var packed bytes.Buffer
	archive := tar.NewWriter(&packed)
	for _, e := range rapid.SliceOfN(rapid.Custom(archiveEntry), 1, 12).Draw(t, "entries") {
		h := &tar.Header{Typeflag: e.kind, Name: e.name, Uid: os.Getuid(), Gid: os.Getgid(), Format: tar.FormatPAX}
		if e.kind == tar.TypeReg {
			h.Size = int64(len(e.text))
		} else {
			h.Linkname = e.text
		}
		e.more(h)
		if archive.WriteHeader(h) != nil {
			return // the format has no such entry
		}
		if e.kind == tar.TypeReg {
			_, _ = io.WriteString(archive, e.text) // a buffer does not fail
		}
	}
	_ = archive.Close()
	checkUnpacked(t, packed.Bytes())
}

// FuzzArchive unpacks files that need not be archives, as they are and compressed.
func FuzzArchive(f *testing.F) {
	var small bytes.Buffer
	archive := tar.NewWriter(&small)
	_ = archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "a", Mode: 0o644, Format: tar.FormatPAX})
	_ = archive.Close()
	f.Add(small.Bytes())
	f.Add([]byte("\x1f\x8b\x08\x00"))
	f.Add([]byte("\x28\xb5\x2f\xfd\x04\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		checkUnpacked(t, data)
		path := filepath.Join(t.TempDir(), "archive")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if bytes.HasPrefix(data, []byte("\xfd7zXZ")) {
			return // the program xz reads it
		}
		opened, err := openArchive(t.Context(), path, func(float64) {})
		if err != nil {
			return
		}
		_, _ = io.CopyN(io.Discard, opened, 1<<20) // may be damaged
		_ = opened.Close()
	})
}

// tester has the methods that rapid and testing share.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// checkUnpacked unpacks an archive and checks that nothing but files that are allowed
// changed, and only below the root.
func checkUnpacked(t tester, data []byte) {
	t.Helper()
	base, err := os.MkdirTemp("", "aloft-unpack-")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(base) }()
	root, secret := filepath.Join(base, "root"), filepath.Join(base, "outside", "secret")
	for _, dir := range []string{root, filepath.Dir(secret)} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	within, err := os.OpenRoot(root)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = within.Close() }()
	size, err := unpack(context.Background(), bytes.NewReader(data), within, little)
	if size > little.bytes || err != nil && size != 0 {
		t.Errorf("%d bytes, %v", size, err)
	}
	checkOutside(t, base, secret)
	files := 0
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		files++
		if d.Type()&(fs.ModeDevice|fs.ModeNamedPipe|fs.ModeSocket) != 0 {
			t.Errorf("%s is %s", path, d.Type())
		}
		if names := attributes(t, path); strings.Contains(names, "overlay") || strings.Contains(names, "trusted.") {
			t.Errorf("%s has the attributes %q", path, names)
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrPermission) || int64(files) > little.files+1+maxPathParts {
		t.Errorf("%d files, %v", files, err)
	}
}

// maxPathParts is how many directories one entry may need.
const maxPathParts = unix.PathMax / 2

// checkOutside checks that beside the root nothing was changed, added or linked.
func checkOutside(t tester, base, secret string) {
	t.Helper()
	for dir, want := range map[string]int{base: 2, filepath.Dir(secret): 1} {
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != want {
			t.Errorf("%s has %v, %v", dir, entries, err)
		}
	}
	var stat unix.Stat_t
	if err := unix.Lstat(secret, &stat); err != nil || stat.Mode != unix.S_IFREG|0o600 || stat.Nlink != 1 {
		t.Errorf("the file outside: %+v, %v", stat, err)
	}
}
