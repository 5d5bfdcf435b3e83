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
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// plenty is more room than any test needs.
var plenty = room{bytes: 1 << 30, files: 1 << 20}

// entry is an entry of an archive. A tar.TypeReg is a file with text.
type entry struct {
	kind byte
	name string
	text string // of a file its content, of a link its target
	more func(*tar.Header)
}

// pack returns an archive whose entries belong to the user that runs the test.
func pack(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	archive := tar.NewWriter(&out)
	for _, e := range entries {
		header := &tar.Header{
			Typeflag: e.kind, Name: e.name, Mode: 0o755, Uid: os.Getuid(), Gid: os.Getgid(),
			ModTime: time.Unix(1e9, 0), Format: tar.FormatPAX,
		}
		if e.kind == tar.TypeReg {
			header.Size = int64(len(e.text))
		} else {
			header.Linkname = e.text
		}
		if e.more != nil {
			e.more(header)
		}
		if err := archive.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if e.kind == tar.TypeReg {
			if _, err := io.WriteString(archive, e.text); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func dir(name string) entry            { return entry{kind: tar.TypeDir, name: name} }
func file(name, text string) entry     { return entry{kind: tar.TypeReg, name: name, text: text} }
func symlink(name, to string) entry    { return entry{kind: tar.TypeSymlink, name: name, text: to} }
func hardLink(name, to string) entry   { return entry{kind: tar.TypeLink, name: name, text: to} }
func device(kind byte, n string) entry { return entry{kind: kind, name: n} }

// unpackTo unpacks an archive into root, a directory beside the directory outside.
func unpackTo(t *testing.T, ctx context.Context, data []byte, free room) (root, outside string, err error) {
	t.Helper()
	base := t.TempDir()
	root, outside = filepath.Join(base, "root"), filepath.Join(base, "outside")
	for _, dir := range []string{root, outside} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	confined, err := os.OpenRoot(root)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = confined.Close() }()
	_, err = unpack(ctx, bytes.NewReader(data), confined, free)
	return root, outside, err
}

func TestUnpackKeepsWhatFilesAre(t *testing.T) {
	setuid := file("./usr/bin/tool", "tool")
	setuid.more = func(h *tar.Header) {
		h.Mode = 0o4755
		h.PAXRecords = map[string]string{
			"SCHILY.xattr.user.mine": "1", "SCHILY.xattr.user.overlay.opaque": "y",
			"SCHILY.xattr.trusted.overlay.redirect": "/etc", "SCHILY.xattr.security.selinux": "x",
		}
	}
	sticky := dir("./tmp/")
	sticky.more = func(h *tar.Header) { h.Mode = 0o1777 }
	root, _, err := unpackTo(t, t.Context(), pack(t,
		dir("./"), dir("./usr/"), dir("./usr/bin/"), sticky, setuid, hardLink("./usr/bin/same", "./usr/bin/tool"),
		symlink("./bin", "usr/bin"), symlink("./etc", "/outside"), file("/srv/deep/er", "text"),
		device(tar.TypeChar, "./dev/null"), device(tar.TypeBlock, "dev/sda"), device(tar.TypeFifo, "run/pipe"),
		hardLink("dev/again", "dev/null"), file("twice", "old"), file("twice", "new"),
	), plenty)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"usr/bin/same": "tool", "srv/deep/er": "text", "twice": "new"} {
		if got, err := os.ReadFile(filepath.Join(root, name)); err != nil || string(got) != want {
			t.Errorf("%s contains %q, %v", name, got, err)
		}
	}
	for name, want := range map[string]fs.FileMode{
		"usr/bin/tool": fs.ModeSetuid | 0o755, "tmp": fs.ModeDir | fs.ModeSticky | 0o777, "bin": fs.ModeSymlink | 0o777,
	} {
		if info, err := os.Lstat(filepath.Join(root, name)); err != nil || info.Mode() != want {
			t.Errorf("%s: mode %v, %v; want %v", name, info.Mode(), err, want)
		}
	}
	var tool, same, usr unix.Stat_t
	for name, stat := range map[string]*unix.Stat_t{"usr/bin/tool": &tool, "usr/bin/same": &same, "usr": &usr} {
		if err := unix.Stat(filepath.Join(root, name), stat); err != nil {
			t.Fatal(err)
		}
	}
	if tool.Ino != same.Ino || tool.Mtim.Sec != 1e9 || usr.Mtim.Sec != 1e9 {
		t.Errorf("links %d and %d, times %d and %d", tool.Ino, same.Ino, tool.Mtim.Sec, usr.Mtim.Sec)
	}
	for _, name := range []string{"dev/null", "dev/sda", "run/pipe", "dev/again"} {
		if _, err := os.Lstat(filepath.Join(root, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v, want no such file", name, err)
		}
	}
	if got := attributes(t, filepath.Join(root, "usr/bin/tool")); got != "" && got != "user.mine" {
		t.Errorf("extended attributes %q", got)
	}
}

// attributes returns the names of a file's extended attributes. A filesystem may have none.
func attributes(t tester, path string) string {
	t.Helper()
	names := make([]byte, 1024)
	n, err := unix.Llistxattr(path, names)
	if errors.Is(err, unix.ENOTSUP) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(strings.Trim(string(names[:n]), "\x00"), "\x00", " ")
}

func TestUnpackStaysInsideTheRoot(t *testing.T) {
	foreign := file("a", "")
	foreign.more = func(h *tar.Header) { h.Uid = 65536 }
	unknown := entry{kind: 'V', name: "label"}
	for name, tc := range map[string][]entry{
		"a name that goes up":               {file("../outside/secret", "mine")},
		"a name that goes down and up":      {dir("a"), file("a/../../outside/secret", "mine")},
		"through an absolute link":          {symlink("a", "/"), file("a/escaped", "mine")},
		"through a relative link":           {symlink("a", "../outside"), file("a/secret", "mine")},
		"through a link inside":             {dir("b"), symlink("a", "b"), file("a/secret", "mine")},
		"a directory through a link":        {symlink("a", "../outside"), dir("a/b")},
		"a link in place of a directory":    {dir("a"), symlink("a", "../outside"), file("a/secret", "mine")},
		"a hard link that goes up":          {hardLink("a", "../outside/secret")},
		"a hard link through a link":        {symlink("l", "../outside"), hardLink("a", "l/secret")},
		"a hard link to what is not in it":  {hardLink("a", "/etc/passwd")},
		"a hard link to a directory":        {dir("b"), hardLink("a", "b")},
		"a file below a file":               {file("a", ""), file("a/b", "")},
		"a root that is a link":             {symlink("./", "../outside")},
		"a user that machines have not":     {foreign},
		"a type that no filesystem has":     {unknown},
		"a path that no system call takes":  {file(strings.Repeat("a/", 2049)+"b", "")},
		"a file that replaces the root":     {file(".", "x")},
		"a name of a parent in the archive": {file("..", "x")},
	} {
		t.Run(name, func(t *testing.T) {
			_, outside, err := unpackTo(t, t.Context(), pack(t, tc...), plenty)
			if !errors.Is(err, ErrUnsafe) {
				t.Errorf("error %v, want ErrUnsafe", err)
			}
			var found []string
			entries, _ := os.ReadDir(outside)
			for _, entry := range entries {
				found = append(found, entry.Name())
			}
			content, _ := os.ReadFile(filepath.Join(outside, "secret"))
			if diff := cmp.Diff([]string{"secret"}, found); diff != "" || string(content) != "secret" {
				t.Errorf("outside changed: %s%q", diff, content)
			}
			if info, err := os.Stat(filepath.Join(outside, "secret")); err == nil && info.Sys() != nil {
				var stat unix.Stat_t
				if err := unix.Stat(filepath.Join(outside, "secret"), &stat); err != nil || stat.Nlink != 1 {
					t.Errorf("the file outside has %d links, %v", stat.Nlink, err)
				}
			}
		})
	}
}

func TestALinkReplacedByAFileIsNotWrittenThrough(t *testing.T) {
	data := pack(t, symlink("a", "../outside/secret"), file("a", "mine"))
	root, outside, err := unpackTo(t, t.Context(), data, plenty)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{filepath.Join(root, "a"): "mine", outside + "/secret": "secret"} {
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%s contains %q, %v", path, got, err)
		}
	}
}

func TestUnpackRefusesWhatDoesNotFit(t *testing.T) {
	data := pack(t, file("a", strings.Repeat("x", 10000)), file("b", "x"))
	for _, free := range []room{{bytes: 12 << 10, files: 9}, {bytes: 1 << 20, files: 1}, {bytes: -1, files: 9}} {
		if _, _, err := unpackTo(t, t.Context(), data, free); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%+v: %v, want ErrTooLarge", free, err)
		}
	}
	if _, _, err := unpackTo(t, t.Context(), data, room{bytes: 24 << 10, files: 2}); err != nil {
		t.Errorf("what fits: %v", err)
	}
}

func TestUnpackNoticesATruncatedArchive(t *testing.T) {
	data := pack(t, file("a", strings.Repeat("x", 10000)), file("b", "x"))
	for length := 0; length < len(data)-512; length += 256 {
		if _, _, err := unpackTo(t, t.Context(), data[:length], plenty); !errors.Is(err, ErrTruncated) {
			t.Errorf("%d of %d bytes: %v, want ErrTruncated", length, len(data), err)
		}
	}
}

func TestUnpackEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := unpackTo(t, ctx, pack(t, file("a", "x")), plenty); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

// An archive of devices or directories alone compresses to nearly nothing, and needs no room
// on the disk.
func TestUnpackRemembersSoManyNames(t *testing.T) {
	u := &unpacker{names: maxNames - 100, dropped: map[string]bool{}, dirs: map[string]time.Time{".": {}}, free: plenty}
	for i, want := range []error{nil, ErrUnsafe} {
		err := u.entry(&tar.Header{Typeflag: tar.TypeFifo, Name: "pipe"}, nil)
		if !errors.Is(err, want) {
			t.Errorf("entry %d: %v, want %v", i+1, err, want)
		}
	}
}
