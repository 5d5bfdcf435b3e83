// Package checksum computes and verifies the checksums of S3's objects (Amazon S3 User
// Guide, "Checking object integrity for data uploads").
package checksum

import (
	"crypto/md5"  //nolint:gosec // ETags and Content-MD5
	"crypto/sha1" //nolint:gosec // one of the algorithms that clients choose
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"slices"
	"strings"
)

// Algorithm is an algorithm, named as in the API.
type Algorithm string

// The algorithms that the local cloud has.
const (
	CRC32     Algorithm = "CRC32"
	CRC32C    Algorithm = "CRC32C"
	CRC64NVME Algorithm = "CRC64NVME"
	SHA1      Algorithm = "SHA1"
	SHA256    Algorithm = "SHA256"
)

var algorithms = []Algorithm{CRC32, CRC32C, CRC64NVME, SHA1, SHA256}

// others are the algorithms of AWS that the local cloud lacks.
var others = []Algorithm{"SHA512", "MD5", "XXHASH64", "XXHASH3", "XXHASH128"}

// ErrNotImplemented is the error for an algorithm that AWS has and the local cloud lacks, and
// ErrMalformedMD5 that for a Content-MD5 that is none.
var (
	ErrNotImplemented = errors.New("the checksum algorithm")
	ErrMalformedMD5   = error(refusal("The Content-MD5 you specified was invalid."))
)

// refusal is the message of an error. Unlike Go's own, messages of AWS are sentences.
type refusal string

func (r refusal) Error() string { return string(r) }

// MismatchError is the error for content that does not have the checksum that came with it.
type MismatchError struct{ message string }

func (e *MismatchError) Error() string { return e.message }

// nvme is the polynomial of CRC64NVME, in reversed order (NVM Express Command Set
// Specification, "64b CRC definition").
const nvme = 0x9a6c9329ac4bc9b5

// Parse returns the algorithm with a name.
func Parse(name string) (Algorithm, error) {
	a := Algorithm(strings.ToUpper(name))
	switch {
	case slices.Contains(algorithms, a):
		return a, nil
	case slices.Contains(others, a):
		return "", fmt.Errorf("%w %s", ErrNotImplemented, a)
	}
	return "", refusal("Checksum algorithm provided is unsupported. Please try again with any of the valid types: " +
		"[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
}

// New returns a hash of the algorithm.
func (a Algorithm) New() hash.Hash {
	switch a {
	case CRC32:
		return crc32.NewIEEE()
	case CRC32C:
		return crc32.New(crc32.MakeTable(crc32.Castagnoli))
	case SHA1:
		return sha1.New() //nolint:gosec // as the client wishes
	case SHA256:
		return sha256.New()
	case CRC64NVME:
	}
	return crc64.New(crc64.MakeTable(nvme))
}

// Combines reports whether the checksum of an object follows from those of its parts.
func (a Algorithm) Combines() bool { return strings.HasPrefix(string(a), "CRC") }

// header returns the name of the header with a checksum.
func (a Algorithm) header() string { return "x-amz-checksum-" + strings.ToLower(string(a)) }

// Sums computes what came with content, and MD5.
type Sums struct {
	Algorithm Algorithm // "" if the content came without a checksum
	sum, md5  hash.Hash
}

// Claimed returns the sums that the headers of a request ask for. Trailers do not count as
// headers: a request announces those in X-Amz-Trailer.
func Claimed(header func(name string) string) (*Sums, error) {
	s := &Sums{md5: md5.New()} //nolint:gosec // Content-MD5
	trailer := strings.ToLower(header("X-Amz-Trailer"))
	for _, a := range slices.Concat(algorithms, others) {
		if header(a.header()) == "" && !strings.Contains(trailer, a.header()) {
			continue
		}
		known, err := Parse(string(a))
		if err != nil {
			return nil, err
		}
		if s.Algorithm != "" {
			return nil, refusal("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
		}
		s.Use(known)
	}
	return s, nil
}

// Use makes the sums have a checksum of the algorithm.
func (s *Sums) Use(a Algorithm) { s.Algorithm, s.sum = a, a.New() }

// Write adds content.
func (s *Sums) Write(p []byte) (int, error) {
	if s.sum != nil {
		s.sum.Write(p)
	}
	return s.md5.Write(p)
}

// MD5 returns the content's MD5.
func (s *Sums) MD5() []byte { return s.md5.Sum(nil) }

// Checksum returns the content's checksum, nil if there is none.
func (s *Sums) Checksum() []byte {
	if s.sum == nil {
		return nil
	}
	return s.sum.Sum(nil)
}

// Verify compares content with the digests in headers and trailers.
func (s *Sums) Verify(header func(name string) string) error {
	if text := header("Content-Md5"); text != "" {
		claimed, err := base64.StdEncoding.DecodeString(text)
		switch {
		case err != nil || len(claimed) != md5.Size:
			return ErrMalformedMD5
		case !slices.Equal(claimed, s.MD5()):
			return &MismatchError{"The Content-MD5 you specified did not match what we received."}
		}
	}
	if s.Algorithm == "" {
		return nil
	}
	text := header(s.Algorithm.header())
	claimed, err := base64.StdEncoding.DecodeString(text)
	switch {
	case text == "":
		return nil
	case err != nil || len(claimed) != s.sum.Size():
		return refusal("Value for " + s.Algorithm.header() + " header is invalid.")
	case !slices.Equal(claimed, s.Checksum()):
		return &MismatchError{fmt.Sprintf("The %s you specified did not match the calculated checksum.", s.Algorithm)}
	}
	return nil
}
