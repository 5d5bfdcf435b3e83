package balancer

import (
	"sync"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
)

// Sizes of buffers in bytes. A request's buffer grows with a long head; one
// that has grown is not kept. They are no powers of two: the beginnings of thousands
// of such buffers would share a few lines of the processor's cache.
const (
	inSize   = 5376
	outSize  = 2304
	backSize = 33 << 10
	headroom = 1 << 10 // before an answer, for a longer head than the target's
)

// exchange is everything that one request needs as long as it lasts. It is used again.
// What is needed when its answer comes is together: with thousands of requests at
// their targets it has to be fetched from memory.
type exchange struct {
	in       []byte // what the client sent; up to at it has been dealt with
	at       int
	*scratch        // nil: nobody works on it
	trace    []byte // what the target was told in X-Amzn-Trace-Id, for the access log

	dialogue dialogue
	record   record
	req      http1.Request

	chunks http1.ChunkScanner
	head   []byte // of the request, as it came
}

// scratch is what is needed only by who works on an exchange, and not while a target
// thinks: so a few serve all, and stay in the processor's cache.
type scratch struct {
	resp http1.Response
	out  []byte // a head that is being written
	line []byte // an entry of the access log that is being written
}

// record is what is known of an exchange when it is over.
type record struct {
	begun, connected, answered, ended time.Duration // on the engine's clock; zero: not reached
	target                            *member
	action                            *compiledAction
	status, targetStatus              int
	received, delivered               int64 // bytes from and to the client
}

var (
	exchanges = sync.Pool{New: func() any { return &exchange{in: make([]byte, 0, inSize)} }}
	scratches = sync.Pool{New: func() any { return &scratch{out: make([]byte, 0, outSize)} }}
)

func newExchange() *exchange { return exchanges.Get().(*exchange) }

// takeUp begins the work on an exchange, or goes on with it.
func (x *exchange) takeUp() { x.scratch = scratches.Get().(*scratch) }

// putDown ends it for now.
func (x *exchange) putDown() {
	scratches.Put(x.scratch)
	x.scratch = nil
}

// release gives the exchange back for other requests.
func (x *exchange) release() {
	if cap(x.in) <= inSize {
		x.in, x.at, x.head, x.record = x.in[:0], 0, nil, record{}
		x.dialogue = dialogue{}
		exchanges.Put(x)
	}
}

// pending is how many bytes have come after the request.
func (x *exchange) pending() int { return len(x.in) - x.at }

// room makes room for more bytes. What has been dealt with stays where it is as
// long as it can.
func (x *exchange) room() {
	if len(x.in) < cap(x.in) {
		return
	}
	grown := make([]byte, len(x.in), 2*cap(x.in))
	copy(grown, x.in)
	x.in = grown
}

// next makes the bytes after the last request the beginning of the buffer.
func (x *exchange) next() {
	n := copy(x.in, x.in[x.at:])
	x.in, x.at, x.record = x.in[:n], 0, record{}
}

// backlog is what has come of an answer, with room before it.
type backlog struct {
	bytes      []byte
	start, end int
}

var backlogs = sync.Pool{New: func() any { return &backlog{bytes: make([]byte, backSize)} }}

func newBacklog() *backlog {
	b := backlogs.Get().(*backlog)
	b.start, b.end = headroom, headroom
	return b
}

func (b *backlog) release() { backlogs.Put(b) }

// held is what has come.
func (b *backlog) held() []byte { return b.bytes[b.start:b.end] }

// room is where more can go; empty when a head of the largest size has come.
func (b *backlog) room() []byte { return b.bytes[b.end:] }

// reset empties the buffer for more of a body.
func (b *backlog) reset() { b.start, b.end = headroom, headroom }
