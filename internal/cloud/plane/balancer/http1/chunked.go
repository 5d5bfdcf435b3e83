//go:build linux

package http1

import "errors"

// ErrChunk is returned for a chunked body that violates RFC 9112, section 7.1: sizes are
// hexadecimal digits, and every line ends with CR LF.
var ErrChunk = errors.New("the chunked body is malformed")

// ChunkScanner finds the content and the end of a chunked body in the buffers that the body
// arrives in. The zero value is at a body's beginning.
type ChunkScanner struct {
	left   int64 // bytes left of the current chunk
	line   int   // bytes of the current line
	digits int   // of the current chunk's size
	state  chunkState
}

type chunkState uint8

const (
	inSize chunkState = iota
	inExtension
	afterSize // after CR; LF must follow
	inData
	afterData    // CR must follow
	afterDataEnd // LF must follow
	trailerStart
	inTrailerName
	inTrailer
	afterTrailer // after CR; LF must follow
	lastLine     // after the CR of the last line; LF must follow
	ended
)

// maxChunkLine is the greatest length in bytes of a line between chunks, and of all trailers.
const maxChunkLine = maxField

// Next scans p, the next part of the body. It returns the number of bytes scanned, the
// content among them, and whether the body has ended. It stops after the first content:
// call it again with the rest of p.
func (c *ChunkScanner) Next(p []byte) (n int, content []byte, done bool, err error) {
	for n < len(p) && c.state != ended {
		if c.state == inData {
			take := int(min(c.left, int64(len(p)-n)))
			content = p[n : n+take]
			n += take
			if c.left -= int64(take); c.left == 0 {
				c.state = afterData
			}
			return n, content, false, nil
		}
		if !c.step(p[n]) {
			return n, nil, false, ErrChunk
		}
		n++
	}
	return n, nil, c.state == ended, nil
}

// Skip scans p and ignores the content.
func (c *ChunkScanner) Skip(p []byte) (n int, done bool, err error) {
	for n < len(p) && !done {
		k, _, end, err := c.Next(p[n:])
		n += k
		if err != nil {
			return n, false, err
		}
		done = end
	}
	return n, done || c.state == ended, nil
}

// step scans one byte outside the content. It returns false if the byte is not allowed.
func (c *ChunkScanner) step(b byte) bool {
	if c.line++; c.line > maxChunkLine {
		return false
	}
	switch c.state {
	case inSize:
		return c.size(b)
	case inExtension:
		if b == '\r' {
			c.state = afterSize
			return true
		}
		return byteSets[b]&inValue != 0
	case afterSize:
		if c.line = 0; c.left == 0 {
			c.state = trailerStart
		} else {
			c.state = inData
		}
		return b == '\n'
	case afterData:
		c.state = afterDataEnd
		return b == '\r'
	case afterDataEnd:
		c.state, c.line, c.digits = inSize, 0, 0
		return b == '\n'
	}
	return c.trailer(b)
}

func (c *ChunkScanner) size(b byte) bool {
	var d byte
	switch low := b | 0x20; {
	case digit(b):
		d = b - '0'
	case 'a' <= low && low <= 'f':
		d = low - 'a' + 10
	case c.digits == 0:
		return false
	case b == '\r':
		c.state = afterSize
		return true
	case b == ';':
		c.state = inExtension
		return true
	default:
		return false
	}
	c.digits++
	c.left = c.left<<4 | int64(d)
	return c.digits <= 15
}

func (c *ChunkScanner) trailer(b byte) bool {
	switch c.state {
	case trailerStart:
		if b == '\r' {
			c.state = lastLine
			return true
		}
		c.state = inTrailerName
		return byteSets[b]&inToken != 0
	case inTrailerName:
		if b == ':' {
			c.state = inTrailer
			return true
		}
		return byteSets[b]&inToken != 0
	case inTrailer:
		if b == '\r' {
			c.state = afterTrailer
			return true
		}
		return byteSets[b]&forbidden == 0
	case afterTrailer:
		c.state = trailerStart
		return b == '\n'
	case lastLine:
		c.state = ended
		return b == '\n'
	}
	return false
}
