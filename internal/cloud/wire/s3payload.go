package wire

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"net/textproto"
	"os"
	"strconv"
	"strings"

	"aloft.dev/aloft/internal/cloud/checksum"
	"aloft.dev/aloft/internal/cloud/wire/names"
)

// What x-amz-content-sha256 says in place of a hash (Amazon S3 API Reference, "Authenticating
// requests: Signature calculations for the Authorization header").
const (
	unsignedPayload  = "UNSIGNED-PAYLOAD"
	unsignedTrailer  = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	signedChunks     = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	signedTrailer    = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	trailerSignature = "x-amz-trailer-signature"
)

// payloadOfS3 returns what a request says about the hash of its body.
func payloadOfS3(r *http.Request, presigned bool) string {
	payload := r.Header.Get(payloadHeader)
	if payload == "" && presigned {
		payload = r.URL.Query().Get(payloadHeader)
	}
	if payload == "" && presigned {
		return unsignedPayload
	}
	return payload
}

// Payload is the body of a request to S3. It verifies the signatures of what is read and
// removes the framing of chunks. What was read counts once Read has returned io.EOF.
type Payload struct {
	body     io.Reader
	progress func()
	header   http.Header
	taken    bool // the operation reads it
	ended    bool // it was read to its end

	length   int64 // of the content; -1: unknown
	form     bool  // the content is the file of a form
	most     int64 // of a form's content: its length is not known
	read     int64
	hash     hash.Hash // of the content, if it is signed as a whole
	claimed  string    // hash in hex
	framed   *frames   // nil: the content is not in chunks
	trailers http.Header
}

// Length returns the length of the content in bytes, or -1 if the request does not say it. That of a form's file is
// at most so long.
func (p *Payload) Length() int64 {
	if p.form {
		return p.most
	}
	return p.length
}

// Form reports whether the content is the file of an HTML form.
func (p *Payload) Form() bool { return p.form }

// Header returns a header of the request, or one that followed its body, which is known
// at the body's end.
func (p *Payload) Header(name string) string {
	if value := p.trailers.Get(name); value != "" {
		return value
	}
	return p.header.Get(name)
}

// openPayload prepares the body of a request to S3, whose signature is verified but for the
// body's part.
func (h *handler) openPayload(r *http.Request, x *exchange, key Key, anyKey bool) error {
	x.resource = r.URL.Path
	claimed := payloadOfS3(r, x.claim.presigned)
	p := &Payload{body: r.Body, progress: x.progress, header: r.Header, length: r.ContentLength, claimed: claimed}
	switch claimed {
	case unsignedPayload:
	case unsignedTrailer, signedChunks, signedTrailer:
		p.framed = &frames{from: bufio.NewReaderSize(p.body, 64<<10), trailer: claimed != signedChunks}
		if claimed != unsignedTrailer {
			p.framed.signed = true
			p.framed.verify = &chunkVerifier{claim: &x.claim, secret: key.Secret, last: x.claim.signature, any: anyKey}
		}
		length, err := strconv.ParseInt(r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64)
		if err != nil || length < 0 {
			return missingLength()
		}
		p.length = length
	default:
		if strings.HasPrefix(claimed, "STREAMING-") {
			return NotImplemented("bodies signed as %s", claimed)
		}
		if hashed, err := hex.DecodeString(claimed); !anyKey && (err != nil || len(hashed) != sha256.Size) {
			return Errorf("InvalidArgument", "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, "+
				"STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, "+
				"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.")
		}
		if !anyKey {
			p.hash = sha256.New()
		}
	}
	x.payload = p
	if !anyKey {
		x.principal = key.Principal
	}
	x.verified = true
	return nil
}

// Read reads content. Its errors are for the client.
func (p *Payload) Read(b []byte) (n int, err error) {
	if p.ended {
		return 0, io.EOF
	}
	p.progress()
	if p.framed != nil {
		n, err = p.framed.Read(b)
	} else {
		n, err = p.body.Read(b)
	}
	p.read += int64(n)
	if p.hash != nil {
		p.hash.Write(b[:n])
	}
	switch {
	case errors.Is(err, io.EOF):
		if err := p.end(); err != nil {
			return n, err
		}
		return n, io.EOF
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, Errorf("RequestTimeout", "Your socket connection to the server was not read from or written to "+
			"within the timeout period. Idle connections will be closed.")
	case err != nil:
		return n, payloadError(err)
	}
	return n, nil
}

// payloadError returns S3's error for a body that cannot be read.
func payloadError(err error) error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	return Errorf("IncompleteBody",
		"You did not provide the number of bytes specified by the Content-Length HTTP header")
}

// end checks a body that was read to its end.
func (p *Payload) end() error {
	if p.framed != nil {
		p.trailers = p.framed.trailers
	}
	switch {
	case p.length >= 0 && p.read != p.length:
		return payloadError(io.ErrUnexpectedEOF)
	case p.hash != nil && hex.EncodeToString(p.hash.Sum(nil)) != p.claimed:
		return Errorf("XAmzContentSHA256Mismatch",
			"The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	p.ended = true
	return nil
}

// document returns the whole content, of at most maxBody bytes, and checks it against the
// digests that came with it.
func (p *Payload) document() ([]byte, error) {
	if p.taken {
		return nil, nil
	}
	p.taken = true
	body, err := io.ReadAll(io.LimitReader(p, maxBody+1))
	switch {
	case err != nil:
		return nil, err
	case len(body) > maxBody:
		return nil, Errorf("MaxMessageLengthExceeded", "Your request was too big.")
	}
	sums, err := checksum.Claimed(p.Header)
	if err != nil {
		return nil, ChecksumError(err)
	}
	_, _ = sums.Write(body) // hashes do not fail
	return body, ChecksumError(sums.Verify(p.Header))
}

// ChecksumError returns S3's error for what package checksum found.
func ChecksumError(err error) error {
	switch mismatch, ok := errors.AsType[*checksum.MismatchError](err); {
	case err == nil:
		return nil
	case ok:
		return Errorf("BadDigest", "%v", mismatch)
	case errors.Is(err, checksum.ErrMalformedMD5):
		return Errorf("InvalidDigest", "%v", err)
	case errors.Is(err, checksum.ErrNotImplemented):
		return NotImplemented("%v", err)
	}
	return Errorf("InvalidRequest", "%v", err)
}

func missingLength() *Error {
	return &Error{
		Code: "MissingContentLength", Message: "You must provide the Content-Length HTTP header.",
		Status: http.StatusLengthRequired,
	}
}

// maxChunkLine is the length of the longest line of a chunk's or a trailer's head.
const maxChunkLine = 4 << 10

// frames reads content from chunks, each of which may be signed (Amazon S3 API Reference,
// "Signature calculations for the Authorization header: Transferring payload in multiple
// chunks", and "with trailing headers").
type frames struct {
	from     *bufio.Reader
	signed   bool
	trailer  bool // headers follow the last chunk
	verify   *chunkVerifier
	left     int64 // of the present chunk
	started  bool
	ended    bool
	trailers http.Header
}

var errFraming = Errorf("InvalidRequest", "The chunks of the body are malformed.")

// Read reads content of one chunk.
func (f *frames) Read(b []byte) (int, error) {
	for f.left == 0 {
		if f.ended {
			return 0, io.EOF
		}
		if err := f.next(); err != nil {
			return 0, unexpected(err)
		}
	}
	n, err := f.from.Read(b[:min(int64(len(b)), f.left)])
	f.left -= int64(n)
	if f.verify != nil {
		f.verify.hash.Write(b[:n])
	}
	return n, unexpected(err)
}

// unexpected returns the error for content that ends within a chunk.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// next ends the present chunk and begins the next one. The last one has no content.
func (f *frames) next() error {
	if f.started {
		if line, err := f.line(); err != nil || line != "" {
			return errors.Join(err, errFraming)
		}
		if err := f.endChunk(); err != nil {
			return err
		}
	}
	f.started = true
	line, err := f.line()
	if err != nil {
		return err
	}
	size, rest, _ := strings.Cut(line, ";")
	if f.left, err = strconv.ParseInt(size, 16, 64); err != nil || f.left < 0 {
		return errFraming
	}
	if f.verify != nil {
		f.verify.begin(strings.TrimPrefix(rest, "chunk-signature="))
	}
	if f.left > 0 {
		return nil
	}
	f.ended = true
	if err := f.endChunk(); err != nil {
		return err
	}
	return f.readTrailers()
}

func (f *frames) endChunk() error {
	if f.verify == nil {
		return nil
	}
	return f.verify.end()
}

// readTrailers reads the headers after the last chunk, up to an empty line or the body's end.
func (f *frames) readTrailers() error {
	f.trailers = http.Header{}
	signed := &bytes.Buffer{}
	for {
		line, err := f.line()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		switch {
		case line == "":
			continue // the end, before which some clients send one more
		case !ok || !f.trailer:
			return errFraming
		case name != trailerSignature:
			signed.WriteString(name + ":" + value + "\n")
		}
		f.trailers.Set(textproto.CanonicalMIMEHeaderKey(name), value)
	}
	if f.verify == nil || !f.trailer {
		return nil
	}
	return f.verify.trailers(signed.Bytes(), f.trailers.Get(trailerSignature))
}

// line reads a line without its end.
func (f *frames) line() (string, error) {
	var b strings.Builder
	for b.Len() <= maxChunkLine {
		c, err := f.from.ReadByte()
		if err != nil {
			if errors.Is(err, io.EOF) && b.Len() > 0 {
				return "", io.ErrUnexpectedEOF
			}
			return "", err
		}
		if c == '\n' {
			return strings.TrimSuffix(b.String(), "\r"), nil
		}
		b.WriteByte(c)
	}
	return "", errFraming
}

// chunkVerifier verifies the signatures of chunks, each of which covers the one before.
type chunkVerifier struct {
	claim  *claim
	secret string
	any    bool   // the key is not known, so that nothing can be verified
	last   string // signature before the present chunk
	want   string // signature of the present chunk
	hash   hash.Hash
}

func (v *chunkVerifier) begin(signature string) { v.want, v.hash = signature, sha256.New() }

func (v *chunkVerifier) end() error {
	empty := sha256.Sum256(nil)
	return v.check("AWS4-HMAC-SHA256-PAYLOAD", v.want,
		hex.EncodeToString(empty[:]), hex.EncodeToString(v.hash.Sum(nil)))
}

func (v *chunkVerifier) trailers(signed []byte, signature string) error {
	hashed := sha256.Sum256(signed)
	return v.check("AWS4-HMAC-SHA256-TRAILER", signature, hex.EncodeToString(hashed[:]))
}

func (v *chunkVerifier) check(kind, signature string, hashes ...string) error {
	text := append([]string{kind, v.claim.time.Format(basicTime), v.claim.scope(), v.last}, hashes...)
	v.last = signature
	want := v.claim.signText(strings.Join(text, "\n"), v.secret)
	if v.any || subtle.ConstantTimeCompare([]byte(want), []byte(signature)) == 1 {
		return nil
	}
	return badSignature(names.S3)
}
