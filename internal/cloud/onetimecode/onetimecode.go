// Package onetimecode computes the codes of virtual second factors: time-based one-time passwords of six digits
// (RFC 6238), which change every thirty seconds.
package onetimecode

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // RFC 4226
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"time"
)

// SeedSize is the size of the seeds of new second factors in bytes.
const SeedSize = 40

const (
	period = 30      // seconds
	modulo = 1000000 // of six digits
)

// Step returns the number of the time step at a time. Each step has a code.
func Step(t time.Time) int64 { return t.Unix() / period }

// Code returns the code of a step (RFC 4226, section 5.3).
func Code(seed []byte, step int64) string {
	mac := hmac.New(sha1.New, seed)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0xf
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[offset:])&0x7fffffff%modulo)
}

// Find returns the last step from first to last that has the code. How long it takes does not depend on the code.
func Find(seed []byte, first, last int64, code string) (step int64, ok bool) {
	for s := first; s <= last; s++ {
		if subtle.ConstantTimeCompare([]byte(Code(seed, s)), []byte(code)) == 1 {
			step, ok = s, true
		}
	}
	return step, ok
}
