//go:build linux

package http1

import "bytes"

// HeadLen returns the length of the head at the beginning of buf, including its empty
// line, or 0 if the head is incomplete. The first seen bytes have been searched before.
func HeadLen(buf []byte, seen int) int {
	from := max(0, seen-3)
	if i := bytes.Index(buf[from:], []byte("\r\n\r\n")); i >= 0 {
		return from + i + 4
	}
	return 0
}

// LeadingBlankLines returns the length in bytes of the empty lines before a request, which
// a client may send after a body (RFC 9112, section 2.2).
func LeadingBlankLines(buf []byte) int {
	n := 0
	for len(buf) >= n+2 && buf[n] == '\r' && buf[n+1] == '\n' {
		n += 2
	}
	return n
}

// HasBareLF reports whether a line of an incomplete head ends with LF and not CR LF: such a
// head will never be valid. The first seen bytes have been searched before.
func HasBareLF(buf []byte, seen int) bool {
	for from := seen; ; {
		i := bytes.IndexByte(buf[from:], '\n')
		if i < 0 {
			return false
		}
		if from += i; from == 0 || buf[from-1] != '\r' {
			return true
		}
		from++
	}
}
