//go:build linux

package image

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Reasons not to unpack an archive.
var (
	ErrTruncated = errors.New("the archive is incomplete or damaged")
	ErrUnsafe    = errors.New("the archive reaches out of the root filesystem")
	ErrTooLarge  = errors.New("the disk has too little free space for it")
)

// maxID is the highest user and group id in a machine (user_namespaces(7): each machine has a
// range of 65,536 ids).
const maxID = 1<<16 - 1

// unpacker writes the entries of an archive below root. All directories that it writes to
// are directories that it created itself, so that it follows no link of the archive; root
// is a second guard.
type unpacker struct {
	root    *os.Root
	free    room
	dirs    map[string]time.Time // the directories created, with their times of modification
	dropped map[string]bool      // entries that are not unpacked
	names   int                  // bytes that dirs and dropped need
	bytes   int64
}

// maxNames bounds the memory, in bytes, that the names of directories and of dropped entries
// need. Root filesystems have some ten thousand directories.
const maxNames = 128 << 20

// remember counts the memory that a name needs in a map.
func (u *unpacker) remember(name string) error {
	const overhead = 64
	if u.names += len(name) + overhead; u.names > maxNames {
		return fmt.Errorf("%w: it has too many directories and devices", ErrUnsafe)
	}
	return nil
}

// unpack writes the files of a tar archive below root and returns their size in bytes. It
// keeps owners, modes, times, links, and the extended attributes that are a file's own. It
// leaves out devices, sockets and pipes: a machine's /dev is not part of its image, and
// overlayfs would take some devices for deleted files.
func unpack(ctx context.Context, archive io.Reader, root *os.Root, free room) (int64, error) {
	u := &unpacker{
		root: root, free: free, dirs: map[string]time.Time{".": {}}, dropped: map[string]bool{},
	}
	source := &endReader{Reader: untilDone(ctx, archive)}
	entries := tar.NewReader(source)
	for {
		header, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = u.entry(header, entries)
		}
		if err != nil {
			return 0, damaged(err)
		}
	}
	// An archive ends with two blocks of zeros (tar(5)). One that ends before is cut off.
	if source.ended {
		return 0, fmt.Errorf("%w: it has no end", ErrTruncated)
	}
	if _, err := io.Copy(io.Discard, source); err != nil { // checks the compression's checksum
		return 0, damaged(err)
	}
	return u.bytes, u.setTimes()
}

// damaged returns err with its class if it is one of a decompressor or of the tar format.
func damaged(err error) error {
	for _, known := range []error{ErrUnsafe, ErrTooLarge, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, known) {
			return err
		}
	}
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return err
	}
	if _, ok := errors.AsType[*os.LinkError](err); ok {
		return err
	}
	return fmt.Errorf("%w: %w", ErrTruncated, err)
}

// endReader notes when a reader has ended.
type endReader struct {
	io.Reader
	ended bool
}

func (r *endReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.ended = r.ended || n == 0 && errors.Is(err, io.EOF)
	return n, err
}

// entry unpacks one entry of the archive.
func (u *unpacker) entry(header *tar.Header, content io.Reader) error {
	if header.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	name, err := confined(header.Name)
	if err != nil {
		return err
	}
	if header.Uid < 0 || header.Uid > maxID || header.Gid < 0 || header.Gid > maxID {
		return fmt.Errorf("%w: %s belongs to user %d and group %d, and a machine has ids up to %d",
			ErrUnsafe, name, header.Uid, header.Gid, maxID)
	}
	if err := u.makeParents(name); err != nil {
		return err
	}
	if err := u.reserve(header); err != nil {
		return err
	}
	switch header.Typeflag {
	case tar.TypeDir:
		return u.directory(name, header)
	case tar.TypeReg, tar.TypeGNUSparse:
		return u.file(name, header, content)
	case tar.TypeSymlink:
		return u.symlink(name, header)
	case tar.TypeLink:
		return u.hardLink(name, header)
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		u.dropped[name] = true
		return u.remember(name)
	}
	return fmt.Errorf("%w: %s is of the unknown type %q", ErrUnsafe, name, header.Typeflag)
}

// confined returns a name of the archive as a path below the root.
func confined(name string) (string, error) {
	if len(name) > unix.PathMax {
		return "", fmt.Errorf("%w: it has a path of %d bytes", ErrUnsafe, len(name))
	}
	if slices.Contains(strings.Split(name, "/"), "..") {
		return "", fmt.Errorf("%w: %q", ErrUnsafe, name)
	}
	return path.Clean(strings.TrimLeft(name, "/")), nil // of "/" it is "."
}

// reserve counts an entry's size in blocks, as a filesystem stores it.
func (u *unpacker) reserve(header *tar.Header) error {
	const block = 4096
	size := int64(0)
	if header.Typeflag == tar.TypeReg || header.Typeflag == tar.TypeGNUSparse {
		size = header.Size
	}
	if size > u.free.bytes-u.bytes-block || u.free.files <= 0 {
		return fmt.Errorf("%w: %s would fill it", ErrTooLarge, header.Name)
	}
	u.bytes += (size + block - 1) / block * block
	u.free.files--
	return nil
}

// makeParents creates the directories above name that the archive does not contain.
func (u *unpacker) makeParents(name string) error {
	parent := path.Dir(name)
	if _, ok := u.dirs[parent]; ok {
		return nil
	}
	if err := u.makeParents(parent); err != nil {
		return err
	}
	if _, err := u.root.Lstat(parent); err == nil {
		return fmt.Errorf("%w: %s is below %s, which is not a directory", ErrUnsafe, name, parent)
	}
	u.dirs[parent] = time.Time{}
	u.free.files--
	return errors.Join(u.remember(parent), u.root.Mkdir(parent, 0o755))
}

// clear removes what an earlier entry of the same name left.
func (u *unpacker) clear(name string) error {
	if name == "." {
		return fmt.Errorf("%w: the root is not a directory", ErrUnsafe)
	}
	delete(u.dirs, name) // if it is a directory with files, Remove fails
	if err := u.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (u *unpacker) directory(name string, header *tar.Header) error {
	if _, ok := u.dirs[name]; !ok {
		if err := u.clear(name); err != nil {
			return err
		}
		if err := errors.Join(u.remember(name), u.root.Mkdir(name, 0o755)); err != nil {
			return err
		}
	}
	u.dirs[name] = header.ModTime
	dir, err := u.root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(setAttributes(dir, header), dir.Close())
}

func (u *unpacker) file(name string, header *tar.Header, content io.Reader) error {
	if err := u.clear(name); err != nil {
		return err
	}
	file, err := u.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	if err == nil {
		err = setAttributes(file, header)
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return u.root.Chtimes(name, header.ModTime, header.ModTime)
}

func (u *unpacker) symlink(name string, header *tar.Header) error {
	if err := u.clear(name); err != nil {
		return err
	}
	if err := u.root.Symlink(header.Linkname, name); err != nil {
		return err
	}
	return u.root.Lchown(name, header.Uid, header.Gid)
}

// hardLink links name to an earlier file of the archive.
func (u *unpacker) hardLink(name string, header *tar.Header) error {
	target, err := confined(header.Linkname)
	if err != nil || u.dropped[target] || target == name {
		return err
	}
	if _, ok := u.dirs[path.Dir(target)]; !ok {
		return fmt.Errorf("%w: %s is a hard link to %s, which it does not contain", ErrUnsafe, name, target)
	}
	info, err := u.root.Lstat(target)
	if err != nil || info.IsDir() {
		return fmt.Errorf("%w: %s is a hard link to %s, which is not a file in it", ErrUnsafe, name, target)
	}
	if err := u.clear(name); err != nil {
		return err
	}
	return u.root.Link(target, name)
}

// setTimes sets the times of the directories, after all their entries exist.
func (u *unpacker) setTimes() error {
	for name, at := range u.dirs {
		if at.IsZero() {
			continue
		}
		if err := u.root.Chtimes(name, at, at); err != nil {
			return err
		}
	}
	return nil
}

// setAttributes sets owner, mode and extended attributes, in this order: a new owner takes
// capabilities and set-user-ID away (chown(2)).
func setAttributes(f *os.File, header *tar.Header) error {
	if err := f.Chown(header.Uid, header.Gid); err != nil {
		return err
	}
	if err := f.Chmod(header.FileInfo().Mode()); err != nil {
		return err
	}
	for key, value := range header.PAXRecords {
		name, ok := strings.CutPrefix(key, "SCHILY.xattr.") // as star, GNU tar and Go name them
		if !ok || !keptAttribute(name) {
			continue
		}
		if err := unix.Fsetxattr(int(f.Fd()), name, []byte(value), 0); err != nil && !errors.Is(err, unix.ENOTSUP) {
			return &fs.PathError{Op: "setxattr " + name, Path: f.Name(), Err: err}
		}
	}
	return nil
}

// keptAttribute reports whether an extended attribute belongs to a file's content. Those of
// overlayfs would make the machine's filesystem show other files (kernel documentation,
// "Overlay Filesystem"), and those of security modules name another system's policy.
func keptAttribute(name string) bool {
	switch name {
	case "security.capability", "system.posix_acl_access", "system.posix_acl_default":
		return true
	}
	return strings.HasPrefix(name, "user.") && !strings.HasPrefix(name, "user.overlay.")
}
