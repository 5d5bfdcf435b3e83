package s3

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"

	"aloft.dev/aloft/internal/cloud/checksum"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// body is the body of a request, as package wire has it.
type body interface {
	io.Reader
	Length() int64             // -1: unknown
	Form() bool                // whether an HTML form posts it
	Header(name string) string // of the request, or behind its body
}

var _ body = (*wire.Payload)(nil)

// maxContent is the size of the largest object that one request uploads, and of the largest
// part.
const maxContent = 5 << 30

// content is the data that a request has uploaded.
type content struct {
	file     store.FileRef
	md5      []byte
	checksum store.Checksum
	claimed  bool // a digest came with it
	form     bool // an HTML form posted it
}

func (c *content) etag() string { return hex.EncodeToString(c.md5) }

// receive writes the body of a request to a file, and compares it with the digests that
// came with it. If none is a checksum, it computes one of the algorithm otherwise.
func (a *API) receive(from io.Reader, otherwise checksum.Algorithm) (*content, error) {
	in, ok := from.(body)
	if !ok {
		return nil, errors.New("the request has no body")
	}
	switch length := in.Length(); {
	case length < 0:
		return nil, failure(http.StatusLengthRequired, "MissingContentLength",
			"You must provide the Content-Length HTTP header.")
	case length > maxContent:
		return nil, tooLarge()
	}
	sums, err := checksum.Claimed(in.Header)
	if err != nil {
		return nil, wire.ChecksumError(err)
	}
	claimed := sums.Algorithm != "" || in.Header("Content-Md5") != ""
	if sums.Algorithm == "" {
		sums.Use(otherwise)
	}
	c, err := a.write(in, sums)
	if err != nil {
		return nil, err
	}
	c.claimed, c.form = claimed, in.Form()
	if err := sums.Verify(in.Header); err != nil {
		a.removeFiles([]store.FileRef{c.file})
		return nil, wire.ChecksumError(err)
	}
	return c, nil
}

func tooLarge() error {
	return wire.Errorf("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
}

// write writes content to a file.
func (a *API) write(from io.Reader, sums *checksum.Sums) (*content, error) {
	w, err := a.Files.Create()
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(io.MultiWriter(w, sums), from); err != nil {
		w.Discard()
		return nil, err
	}
	id, size, err := w.Commit()
	if err != nil {
		return nil, err
	}
	return &content{
		file: store.FileRef{ID: id, Size: size}, md5: sums.MD5(),
		checksum: store.Checksum{
			Algorithm: string(sums.Algorithm), Value: base64.StdEncoding.EncodeToString(sums.Checksum()),
		},
	}, nil
}

// describeChecksum sets the field of the checksum's algorithm.
func describeChecksum(c store.Checksum, crc32, crc32c, crc64nvme, sha1, sha256 **string) {
	if c.Value == "" {
		return
	}
	switch checksum.Algorithm(c.Algorithm) {
	case checksum.CRC32:
		*crc32 = &c.Value
	case checksum.CRC32C:
		*crc32c = &c.Value
	case checksum.CRC64NVME:
		*crc64nvme = &c.Value
	case checksum.SHA1:
		*sha1 = &c.Value
	case checksum.SHA256:
		*sha256 = &c.Value
	}
}

// extent is a range of an object's bytes.
type extent struct{ from, length int64 }

// open opens a range of an object, whose files are read one after the other.
func (a *API) open(o *store.Object, e extent) (io.ReadCloser, error) {
	r := &rangeReader{api: a, files: o.Files, skip: e.from, left: e.length}
	return r, r.next() // the first file is open before the row can change again
}

// rangeReader reads a range of files.
type rangeReader struct {
	api     *API
	files   []store.FileRef
	skip    int64 // bytes before the range, from the first file's start on
	left    int64
	current io.ReadCloser
}

// next opens the file in which the rest of the range begins.
func (r *rangeReader) next() error {
	for len(r.files) > 0 && r.skip >= r.files[0].Size {
		r.skip -= r.files[0].Size
		r.files = r.files[1:]
	}
	if len(r.files) == 0 || r.left == 0 {
		return nil
	}
	opened, err := r.api.Files.Open(r.files[0].ID, r.skip)
	if err != nil {
		return err
	}
	r.current, r.files, r.skip = opened, r.files[1:], 0
	return nil
}

func (r *rangeReader) Read(p []byte) (int, error) {
	for {
		if r.left == 0 || r.current == nil {
			return 0, io.EOF
		}
		n, err := r.current.Read(p[:min(int64(len(p)), r.left)])
		r.left -= int64(n)
		switch {
		case n > 0:
			return n, nil
		case err == nil:
			continue
		case !errors.Is(err, io.EOF):
			return 0, err
		}
		if err := r.Close(); err != nil {
			return 0, err
		}
		if err := r.next(); err != nil {
			return 0, err
		}
		if r.current == nil && r.left > 0 {
			return 0, io.ErrUnexpectedEOF
		}
	}
}

// Close closes the file that is open.
func (r *rangeReader) Close() error {
	if r.current == nil {
		return nil
	}
	err := r.current.Close()
	r.current = nil
	return err
}

// place is where a request says that an object is. Without a version it is the current one.
type place struct{ bucket, owner, key, version *string }

// withObject calls do with an object until its files are those of the row: a client may
// replace the object in between.
func (a *API) withObject(
	ctx context.Context, at place, do func(r store.Reader, o *store.Object) error,
) error {
	const attempts = 10
	var err error
	for range attempts {
		view := a.Store.View()
		o, found := findObject(ctx, view, at.bucket, at.owner, at.key, at.version)
		if found != nil {
			return found
		}
		if err = do(view, o); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return err
}

// parseRange returns the bytes that a Range header asks for. ok is false if the header has
// no effect: because it is malformed, or asks for several ranges.
func parseRange(header string, size int64) (e extent, ok bool, err error) {
	spec, found := strings.CutPrefix(header, "bytes=")
	first, last, dash := strings.Cut(strings.TrimSpace(spec), "-")
	from, fromOK := number(first)
	to, toOK := number(last)
	switch {
	case !found || !dash || !fromOK || !toOK || from < 0 && to < 0:
		return extent{0, size}, false, nil
	case from < 0: // the last bytes
		e.length = min(to, size)
		e.from = size - e.length
	case to < 0:
		e = extent{from, size - from}
	case to < from:
		return extent{0, size}, false, nil
	default:
		e = extent{from, min(to, size-1) - from + 1}
	}
	if e.length <= 0 {
		return e, true, invalidRange()
	}
	return e, true, nil
}

// number returns a number of bytes, or -1 for none.
func number(text string) (n int64, ok bool) {
	if text == "" {
		return -1, true
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n >= 0
}

func invalidRange() error {
	return failure(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable")
}
