//go:build linux

package engine

import "time"

const (
	// connectTimeout is how long a node waits for a target to accept a connection
	// (Application Load Balancer guide, Troubleshoot: HTTP 504 after 10 seconds).
	connectTimeout = 10 * time.Second

	// handshakeTimeout bounds a client's TLS handshake. AWS documents no such time.
	handshakeTimeout = 10 * time.Second

	// drainTimeout bounds how long requests in flight may take at a closed port.
	drainTimeout = time.Minute

	// retireTimeout bounds how long requests in flight may take after another process has
	// taken over, and retireIdle how long a connection may be idle.
	retireTimeout = 5 * time.Minute
	retireIdle    = 10 * time.Second

	// lastWrite is how long a response waits for the last bytes of the request, which
	// have usually been written already.
	lastWrite = 50 * time.Millisecond

	// halfClosed is how long one direction of a tunnel may stay open after the other
	// has ended.
	halfClosed = time.Second

	// lingerTimeout bounds how long a closing connection reads what the client still
	// sends.
	lingerTimeout = time.Second

	// reuseUnchecked is how long after its last response a connection to a target
	// counts as open without asking the kernel, if no loop watches it.
	reuseUnchecked = 100 * time.Millisecond
)

const (
	// portRetry is how often the engine tries to open a port that it could not open,
	// or to accept again after an error.
	portRetry = 100 * time.Millisecond

	// sweepInterval is how often the sweeper inspects all connections. A timeout ends
	// a connection up to this much late.
	sweepInterval = 250 * time.Millisecond

	// presenceCheckAfter is how long a client waits for a response before the sweeper
	// checks whether it is still there. Asking the kernel costs as much as sending the
	// response, and under load all clients wait.
	presenceCheckAfter = time.Second

	// countsKept is how long the counts of a removed node can be read. Its last
	// requests may end as late as drainTimeout.
	countsKept = drainTimeout + time.Minute
)
