//go:build linux

package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// Import is a root filesystem that was unpacked from an archive, before CommitImport makes it
// a layer. Close it in any case.
type Import struct {
	RootFilesystem

	Bytes int64 // size of the files

	dir *importDir
}

// ID names the import for CommitImport. Only root can learn it.
func (i *Import) ID() string { return filepath.Base(i.dir.path) }

// Close deletes the files of an import that was not committed.
func (i *Import) Close() error { return i.dir.close() }

// reserve is the disk space, in bytes, that an import leaves for machines.
const reserve = 1 << 30

// Import unpacks the root filesystem in the tar archive at path, which may be compressed with
// gzip, zstd or xz, checks that it can boot here and adds what its machines need. progress
// receives the fraction of the archive that was read. The archive may come from anybody: what
// it contains is confined to the import's directory. When Import returns, the files survive a
// power failure.
//
// The errors wrap ErrNotArchive, ErrTruncated, ErrUnsafe, ErrTooLarge, ErrNotRootFilesystem or
// ErrArchitecture if the archive is the cause.
func (s *Store) Import(ctx context.Context, path string, progress func(fraction float64)) (*Import, error) {
	if err := s.cleanImports(ctx); err != nil {
		return nil, err
	}
	dir, err := s.newImportDir()
	if err != nil {
		return nil, err
	}
	i := &Import{dir: dir}
	if err := i.fill(ctx, path, progress); err != nil {
		return nil, errors.Join(fmt.Errorf("import %s: %w", path, err), i.Close())
	}
	return i, nil
}

func (i *Import) fill(ctx context.Context, path string, progress func(float64)) error {
	root, err := os.OpenRoot(i.dir.path)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	free, err := freeSpace(i.dir.path)
	if err != nil {
		return err
	}
	archive, err := openArchive(ctx, path, progress)
	if err != nil {
		return err
	}
	i.Bytes, err = unpack(ctx, archive, root, free)
	// A decompressor that failed knows better than what it cut off.
	if closed := archive.Close(); closed != nil && ctx.Err() == nil && !errors.Is(err, ErrTooLarge) &&
		!errors.Is(err, ErrUnsafe) {
		return closed
	}
	if err != nil {
		return err
	}
	if i.RootFilesystem, err = inspect(root, runtime.GOARCH); err != nil {
		return err
	}
	if err := i.configure(root); err != nil {
		return err
	}
	return syncFilesystem(i.dir.path)
}

// room is how much a root filesystem may need.
type room struct{ bytes, files int64 }

// freeSpace returns the room on the filesystem of dir, without the reserve.
func freeSpace(dir string) (room, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		return room{}, fmt.Errorf("measure the free disk space: %w", err)
	}
	free := room{bytes: int64(stat.Bavail)*stat.Bsize - reserve, files: int64(stat.Ffree)}
	if stat.Files == 0 { // the filesystem has no limit
		free.files = 1 << 40
	}
	return free, nil
}

// readerFunc is a reader that a function makes.
type readerFunc func(p []byte) (int, error)

func (read readerFunc) Read(p []byte) (int, error) { return read(p) }

// untilDone returns a reader that ends when a context does.
func untilDone(ctx context.Context, from io.Reader) io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return from.Read(p)
	})
}
