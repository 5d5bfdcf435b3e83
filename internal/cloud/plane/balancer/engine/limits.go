//go:build linux

package engine

const (
	// maxForwarders is how many addresses X-Forwarded-For may have (Application Load
	// Balancer guide, Troubleshoot: HTTP 463).
	maxForwarders = 30

	// maxStreams is how many requests one HTTP/2 connection may have in flight
	// (Application Load Balancer guide, Listeners: HTTP/2 and gRPC support).
	maxStreams = 128

	// maxIdleWorkers bounds how many goroutines wait for a connection.
	maxIdleWorkers = 256

	// acceptBatch is how many clients a loop accepts before it serves others, and other
	// loops have their turn. Each wait for events costs as much as two clients that
	// are found without it.
	acceptBatch = 8

	// spliceFrom is the size in bytes from which the kernel moves a body between
	// sockets.
	spliceFrom = 128 << 10

	// lingerReads bounds how often a closing connection reads what the client still
	// sends.
	lingerReads = 256
)

// Sizes of buffers in bytes. A request's buffer grows for a long head; a buffer that
// has grown is not kept. The sizes are no powers of two: the beginnings of thousands
// of such buffers would share a few lines of the processor's cache.
const (
	requestSize  = 5376
	headSize     = 2304
	responseSize = 33 << 10
	headroom     = 1 << 10 // before a response, for a longer head than the target's
)
