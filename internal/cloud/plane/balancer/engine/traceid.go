//go:build linux

package engine

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
)

// appendTrace appends the value of X-Amzn-Trace-Id that a target gets: the client's
// with Self added if it has a Root, or else one with a new Root (Application Load
// Balancer guide, Request tracing).
func appendTrace(b []byte, r *http1.Request, now time.Time) []byte {
	given, _ := r.Value("x-amzn-trace-id")
	if !bytes.Contains(given, []byte("Root=")) {
		b = appendTraceID(append(b, "Root="...), now)
	} else {
		b = appendTraceID(append(b, "Self="...), now)
	}
	for len(given) > 0 {
		var field []byte
		field, given, _ = bytes.Cut(given, []byte(";"))
		if field = bytes.TrimSpace(field); len(field) > 0 && !bytes.HasPrefix(field, []byte("Self=")) {
			b = append(append(b, ';'), field...)
		}
	}
	return b
}

// appendTraceID appends a new ID: the time and 96 random bits.
func appendTraceID(b []byte, now time.Time) []byte {
	var raw [16]byte
	seconds, high, low := uint32(now.Unix()), rand.Uint64(), rand.Uint32()
	for i := range 4 {
		raw[i] = byte(seconds >> (24 - 8*i))
		raw[12+i] = byte(low >> (8 * i))
	}
	for i := range 8 {
		raw[4+i] = byte(high >> (8 * i))
	}
	b = append(b, "1-"...)
	b = hex.AppendEncode(b, raw[:4])
	return hex.AppendEncode(append(b, '-'), raw[4:])
}
