//go:build linux

package engine

import (
	"net/netip"

	"aloft.dev/aloft/internal/cloud/plane/admission"
)

// limits are the most connections that may be open, so that no client can use up the file
// descriptors that the others need. Each limit is a fraction of the one
// before, so that neither a source nor a node can take everything.
type limits struct {
	total   int // of a process
	node    int // of a node
	source  int // of one address at a node
	connect int // that one address at a node has opened and not yet secured with TLS
}

// limitsFor returns the limits of a process that can open so many files. A connection through
// the loopback front needs four: two sockets of the front, the node's and one to the target.
// All clients of the front have one address, so a source may have most of what a node has.
func limitsFor(descriptors uint64) limits {
	l := limits{total: int(min(descriptors, 1<<24)) / 4}
	l.node = l.total * 4 / 5
	l.source = l.node * 4 / 5
	l.connect = l.source / 8
	return l
}

// limiter counts the connections of a node. All limiters of a process share its total.
type limiter struct {
	connections, handshakes admission.Counter[netip.Addr]
}

// newLimiter returns the limiter of a node without connections. process counts those of the
// process.
func newLimiter(limits limits, process *admission.Pool) *limiter {
	l := &limiter{}
	l.connections.Limits = admission.Limits{PerSource: limits.source, Total: limits.node}
	l.connections.Pool = process
	l.handshakes.Limits = admission.Limits{PerSource: limits.connect, Total: limits.node}
	return l
}

// admit counts a new connection, which is insecure until secured is called. It returns false
// if there are too many.
func (l *limiter) admit(from netip.Addr, insecure bool) bool {
	if !l.connections.Enter(from) {
		return false
	}
	if insecure && !l.handshakes.Enter(from) {
		l.connections.Leave(from)
		return false
	}
	return true
}

// secured records that the TLS handshake of an insecure connection is over.
func (l *limiter) secured(from netip.Addr) { l.handshakes.Leave(from) }

// release records that an admitted connection has ended.
func (l *limiter) release(from netip.Addr) { l.connections.Leave(from) }
