//go:build linux

// Package admission bounds how many connections a load balancer has open, so that no client
// can use up the file descriptors that the others need.
package admission

import (
	"net/netip"
	"sync"
	"sync/atomic"
)

// Limits are the most connections that may be open. Each limit is a fraction of the one
// before, so that neither a source nor a node can take everything.
type Limits struct {
	Total   int // of a process
	Node    int // of a node
	Source  int // of one address at a node
	Connect int // that one address at a node has opened and not yet secured with TLS
}

// LimitsFor returns the limits of a process that can open so many files. A connection through
// the loopback front needs four: two sockets of the front, the node's and one to the target.
// All clients of the front have one address, so a source may have most of what a node has.
func LimitsFor(descriptors uint64) Limits {
	l := Limits{Total: int(min(descriptors, 1<<24)) / 4}
	l.Node = l.Total * 4 / 5
	l.Source = l.Node * 4 / 5
	l.Connect = l.Source / 8
	return l
}

// Limiter counts the connections of a node. All limiters of a process share its total.
type Limiter struct {
	limits Limits
	total  *atomic.Int64

	mu      sync.Mutex
	open    int
	sources map[netip.Addr]*source
}

// source is an address with open connections.
type source struct{ open, insecure int }

// NewLimiter returns the limiter of a node without connections. total counts those of the
// process.
func NewLimiter(limits Limits, total *atomic.Int64) *Limiter {
	return &Limiter{limits: limits, total: total, sources: map[netip.Addr]*source{}}
}

// Admit counts a new connection, which is insecure until Secured is called. It returns false
// if there are too many.
func (l *Limiter) Admit(from netip.Addr, insecure bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.sources[from]
	switch {
	case l.open >= l.limits.Node || l.total.Load() >= int64(l.limits.Total):
		return false
	case s == nil:
		s = &source{}
		l.sources[from] = s
	case s.open >= l.limits.Source || insecure && s.insecure >= l.limits.Connect:
		return false
	}
	l.total.Add(1)
	l.open++
	s.open++
	if insecure {
		s.insecure++
	}
	return true
}

// Secured records that the TLS handshake of an insecure connection is over.
func (l *Limiter) Secured(from netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sources[from].insecure--
}

// Release records that an admitted connection has ended.
func (l *Limiter) Release(from netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total.Add(-1)
	l.open--
	s := l.sources[from]
	if s.open--; s.open == 0 {
		delete(l.sources, from)
	}
}
