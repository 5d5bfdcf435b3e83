package source

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// ErrChanged means that a folder has changed since it was resolved.
var ErrChanged = errors.New("the source changed while it was read")

// Pack writes the source as a compressed tar stream. It fails with ErrChanged if the
// content is no longer what Resolve saw, so that an image always contains what its name
// says.
func (s Source) Pack(ctx context.Context, to io.Writer) error {
	files, err := listFiles(ctx, s)
	if err != nil {
		return err
	}
	packed, err := gzip.NewWriterLevel(to, gzip.BestSpeed)
	if err != nil {
		return err
	}
	archive, sum := tar.NewWriter(packed), sha256.New()
	for _, name := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		f, err := openFile(s.Root, name)
		if err != nil {
			return err
		}
		err = f.pack(archive, sum)
		_ = f.Close()
		if err != nil {
			return fmt.Errorf("pack %s: %w", name, err)
		}
	}
	if hex.EncodeToString(sum.Sum(nil)) != s.content {
		return ErrChanged
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return packed.Close()
}

// pack adds the file to an archive and to a digest.
func (f *file) pack(archive *tar.Writer, sum io.Writer) error {
	header := &tar.Header{
		Name:     f.name,
		Mode:     int64(f.mode),
		Size:     f.size,
		ModTime:  f.info.ModTime(),
		Typeflag: tar.TypeReg,
	}
	if f.link != "" {
		header.Typeflag, header.Linkname = tar.TypeSymlink, f.link
	}
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	bytes := f.ReadCloser
	f.ReadCloser = struct {
		io.Reader
		io.Closer
	}{io.TeeReader(bytes, archive), bytes}
	return f.hash(sum)
}
