// Package identity generates the ids, MAC addresses and ARNs of the local cloud's
// resources in AWS's formats.
package identity

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"sync"
)

// idDigits is the number of hexadecimal digits after a resource id's prefix
// (Amazon EC2 User Guide, Resource IDs).
const idDigits = 17

// Source generates random identifiers. It is safe for concurrent use.
type Source struct {
	mu     sync.Mutex
	random io.Reader
}

// New returns a Source that reads from random. If random is nil, it reads from
// crypto/rand.Reader. A test that needs the same identifiers in each run passes a
// seeded reader.
func New(random io.Reader) *Source {
	if random == nil {
		random = rand.Reader
	}
	return &Source{random: random}
}

// ID returns a new resource id: the prefix, such as "i-", and 17 hexadecimal digits.
func (s *Source) ID(prefix string) string { return prefix + s.Hex(idDigits) }

// Hex returns n random hexadecimal digits.
func (s *Source) Hex(n int) string { return hex.EncodeToString(s.bytes((n + 1) / 2))[:n] }

// Number returns a random number from 0 to n-1. n must be positive.
func (s *Source) Number(n int) int {
	// The bias of the remainder of a 64-bit number is too small to measure.
	return int(binary.BigEndian.Uint64(s.bytes(8)) % uint64(n))
}

// UniqueID returns a new unique id as IAM's are: the prefix, such as "AROA", and 17
// capital letters and digits (IAM User Guide, "IAM identifiers").
func (s *Source) UniqueID(prefix string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" // a power of two: no letter is more likely
	id := s.bytes(17)
	for i, b := range id {
		id[i] = alphabet[int(b)%len(alphabet)]
	}
	return prefix + string(id)
}

// UUID returns a random UUID (RFC 9562, section 5.4).
func (s *Source) UUID() string {
	b := s.bytes(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// MAC returns a random MAC address like those of EC2's network interfaces: locally
// administered and unicast.
func (s *Source) MAC() string {
	b := s.bytes(6)
	return fmt.Sprintf("0a:%02x:%02x:%02x:%02x:%02x", b[1], b[2], b[3], b[4], b[5])
}

func (s *Source) bytes(n int) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := make([]byte, n)
	if _, err := io.ReadFull(s.random, b); err != nil {
		_, _ = rand.Read(b) // a test's reader is at its end; crypto/rand never fails
	}
	return b
}

// ARN returns the Amazon Resource Name of a resource in a region of an account, for example
// of ARN("ec2", "us-east-1", "instance/i-0123").
func ARN(service string, region Region, resource string) string {
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, region.Name(), region.Account(), resource)
}

// WellFormed reports whether id consists of the prefix and 8 or 17 hexadecimal
// digits, the two lengths that Amazon EC2 has used.
func WellFormed(prefix, id string) bool {
	digits, ok := strings.CutPrefix(id, prefix)
	if !ok || len(digits) != idDigits && len(digits) != 8 {
		return false
	}
	return strings.Trim(digits, "0123456789abcdef") == ""
}
