//go:build linux

package engine

import (
	"sync"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
	"aloft.dev/aloft/internal/cloud/plane/balancer/route"
)

// exchange is the state of one request and its response. Exchanges are reused. The
// fields that are needed when the response arrives lie together: with thousands of
// requests at their targets, they have to be fetched from memory.
type exchange struct {
	in       []byte // what the client sent; up to at it is processed
	at       int
	*scratch        // nil: the exchange waits for its target
	trace    []byte // X-Amzn-Trace-Id as the target got it, for the access log

	roundTrip roundTrip
	record    record
	req       http1.Request

	chunks http1.ChunkScanner
	head   []byte // of the request, as it came
}

// scratch holds what an exchange needs only while the engine works on it, and not while
// it waits for the target. So a few serve all exchanges and stay in the processor's
// cache.
type scratch struct {
	resp http1.Response
	out  []byte // a head that is being written
	line []byte // an entry of the access log that is being written
}

// record holds the facts about an exchange that counters and access logs need.
type record struct {
	begun, connected, answered, ended time.Duration // on the engine's clock; 0: not reached
	target                            *target
	action                            *route.Action
	status, targetStatus              int
	received, sent                    int64 // bytes from and to the client
}

var (
	exchanges = sync.Pool{New: func() any { return &exchange{in: make([]byte, 0, requestSize)} }}
	scratches = sync.Pool{New: func() any { return &scratch{out: make([]byte, 0, headSize)} }}
)

func newExchange() *exchange { return exchanges.Get().(*exchange) }

// acquireScratch begins or resumes the work on an exchange.
func (x *exchange) acquireScratch() { x.scratch = scratches.Get().(*scratch) }

// releaseScratch ends or suspends the work on an exchange.
func (x *exchange) releaseScratch() {
	scratches.Put(x.scratch)
	x.scratch = nil
}

// release frees the exchange for other requests.
func (x *exchange) release() {
	if cap(x.in) <= requestSize {
		x.in, x.at, x.head, x.record = x.in[:0], 0, nil, record{}
		x.roundTrip = roundTrip{}
		exchanges.Put(x)
	}
}

// unread returns how many bytes came after the request.
func (x *exchange) unread() int { return len(x.in) - x.at }

// grow makes space for more bytes.
func (x *exchange) grow() {
	if len(x.in) < cap(x.in) {
		return
	}
	grown := make([]byte, len(x.in), 2*cap(x.in))
	copy(grown, x.in)
	x.in = grown
}

// next moves the bytes after the request to the beginning of the buffer.
func (x *exchange) next() {
	n := copy(x.in, x.in[x.at:])
	x.in, x.at, x.record = x.in[:n], 0, record{}
}

// takeBody returns the part of the request's body that came with the head, and marks
// it as processed.
func (x *exchange) takeBody() (part []byte, whole bool, err error) {
	rest := x.in[x.at:]
	switch x.req.Framing {
	case http1.Sized:
		left := x.bodyLeft()
		n := min(left, int64(len(rest)))
		part, whole = rest[:n], n == left
	case http1.Chunked:
		var n int
		n, whole, err = x.chunks.Skip(rest)
		part = rest[:n]
	default:
		whole = true
	}
	x.at += len(part)
	x.record.received += int64(len(part))
	return part, whole, err
}

// bodyLeft returns how many bytes of a Sized body have not been processed.
func (x *exchange) bodyLeft() int64 {
	return x.req.Length - (x.record.received - int64(len(x.head)))
}

// discardBody skips what is left of the request's body. It returns false if part of the body has not
// come yet.
func (x *exchange) discardBody() bool {
	_, whole, err := x.takeBody()
	return whole && err == nil
}
