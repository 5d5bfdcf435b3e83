//go:build linux

package engine

import "sync"

// responseBuffer holds the bytes of a target's response that were read and not yet sent.
// The space before them is for the head that the client gets.
type responseBuffer struct {
	bytes      []byte
	start, end int
}

var responseBuffers = sync.Pool{New: func() any { return &responseBuffer{bytes: make([]byte, responseSize)} }}

func newResponseBuffer() *responseBuffer {
	b := responseBuffers.Get().(*responseBuffer)
	b.reset()
	return b
}

func (b *responseBuffer) release() { responseBuffers.Put(b) }

// unsent returns the bytes that were not yet sent.
func (b *responseBuffer) unsent() []byte { return b.bytes[b.start:b.end] }

// space returns where more bytes can go. It is empty after a head of the largest size.
func (b *responseBuffer) space() []byte { return b.bytes[b.end:] }

// reset empties the buffer.
func (b *responseBuffer) reset() { b.start, b.end = headroom, headroom }
