//go:build linux

package image

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/klauspost/compress/zstd"
)

// ErrNotArchive is returned for a file that is not a tar archive.
var ErrNotArchive = errors.New("it is not a tar archive, plain or compressed with gzip, zstd or xz")

// archive reads a tar archive without its compression.
type archive struct {
	io.Reader
	file  *os.File
	close func() error // of the decompressor
}

// Close returns an error if the archive could not be decompressed up to the point to which it was
// read.
func (a *archive) Close() error {
	err := a.close()
	_ = a.file.Close() // it was only read
	return err
}

// openArchive opens the archive at path. Its first bytes tell how it is compressed, not its
// name. progress receives the fraction of the file that was read, at most a hundred times.
func openArchive(ctx context.Context, path string, progress func(float64)) (*archive, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	a := &archive{file: file, close: func() error { return nil }}
	info, err := file.Stat()
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	measured := &measuredReader{Reader: file, size: info.Size(), progress: progress}
	if err := a.decompress(ctx, bufio.NewReaderSize(untilDone(ctx, measured), 1<<18)); err != nil {
		_ = file.Close()
		return nil, err
	}
	return a, nil
}

// decompress chooses the decompressor (RFC 1952, RFC 8878, "The .xz File Format"). There is
// none for xz in the standard library, and those in Go need several times as long as the
// program xz, which nearly every Linux has.
func (a *archive) decompress(ctx context.Context, in *bufio.Reader) error {
	start, err := in.Peek(262)
	switch {
	case bytes.HasPrefix(start, []byte("\x1f\x8b")):
		a.Reader, err = gzip.NewReader(in)
	case bytes.HasPrefix(start, []byte("\x28\xb5\x2f\xfd")):
		var decoder *zstd.Decoder
		if decoder, err = zstd.NewReader(in); err == nil {
			a.Reader, a.close = decoder, func() error { decoder.Close(); return nil }
		}
	case bytes.HasPrefix(start, []byte("\xfd7zXZ\x00")):
		return a.runXZ(ctx, in)
	case len(start) == 262 && bytes.Equal(start[257:], []byte("ustar")):
		a.Reader, err = in, nil
	case err == nil || errors.Is(err, io.EOF):
		return ErrNotArchive
	}
	return err
}

// runXZ decompresses in with the program xz.
func (a *archive) runXZ(ctx context.Context, in io.Reader) error {
	program, err := exec.LookPath("xz")
	if err != nil {
		return fmt.Errorf("find xz (apt-get install xz-utils): %w", err)
	}
	cmd := exec.CommandContext(ctx, program, "--decompress", "--stdout")
	var problem bytes.Buffer
	cmd.Stdin, cmd.Stderr = in, &problem
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("run xz: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("run xz: %w", err)
	}
	a.Reader = out
	a.close = func() error {
		if _, err := io.CopyN(io.Discard, out, 1); err == nil {
			_ = cmd.Process.Kill() // the archive was not read to its end: that has another cause
			_ = cmd.Wait()
			return nil
		}
		if err := cmd.Wait(); err != nil {
			return fmt.Errorf("%w: xz: %s", ErrTruncated, bytes.TrimSpace(problem.Bytes()))
		}
		return nil
	}
	return nil
}

// measuredReader reports how much of a file was read.
type measuredReader struct {
	io.Reader
	size, read int64
	percent    int64
	progress   func(float64)
}

func (r *measuredReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.read += int64(n)
	if percent := 100 * r.read / max(r.size, 1); percent > r.percent {
		r.percent = percent
		r.progress(float64(percent) / 100)
	}
	return n, err
}
