//go:build linux

package engine

import (
	"time"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/balancer/socket"
)

// sweep enforces timeouts and notices clients that have gone.
func (e *Engine) sweep() {
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	for wait(e.ctx, tick.C) {
		now := e.now()
		e.swept.Store(int64(now))
		for _, p := range e.ports() {
			timeout := time.Duration(p.node.idleTimeout.Load())
			p.each(func(c *connection) { c.inspect(now, timeout) })
		}
		for _, pool := range e.upstreamPools() {
			pool.closeStale(now)
		}
	}
}

// inspect interrupts the connection if it has waited for too long or in vain.
func (c *connection) inspect(now, timeout time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	waited := now - c.since
	if waited < sweepInterval/2 || c.interruption != notInterrupted {
		return
	}
	switch c.phase {
	case connecting: // has a timeout of its own
	case idle, readingHead:
		if waited >= timeout {
			c.interruptLocked(idleTimedOut)
		}
	case awaitingResponse, transferring:
		c.inspectExchange(waited, timeout)
	}
}

// inspectExchange inspects a connection whose request is with a target.
func (c *connection) inspectExchange(waited, timeout time.Duration) {
	late := waited >= timeout
	switch {
	case c.up != nil && c.endsWithTarget():
		c.interruptLocked(targetDeregistered)
	case c.phase == awaitingResponse && waited >= presenceCheckAfter && peerClosed(c.socket):
		c.interruptLocked(clientGone)
	case late && c.phase == awaitingResponse:
		c.interruptLocked(idleTimedOut)
	case late && isIdle(c.socket, timeout) && (c.up == nil || c.up.idle(timeout)):
		c.interruptLocked(idleTimedOut)
	}
}

// tcpInfo asks the kernel about a connection (tcp(7): TCP_INFO).
func tcpInfo(of *socket.Conn) *unix.TCPInfo {
	var info *unix.TCPInfo
	_ = of.Control(func(fd uintptr) {
		info, _ = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	})
	return info
}

// TCP's states after the peer has sent its last byte, or the connection is gone
// (linux/net/tcp_states.h).
const (
	tcpClose     = 7
	tcpCloseWait = 8
)

// peerClosed reports whether the peer has closed the connection.
func peerClosed(conn *socket.Conn) bool {
	info := tcpInfo(conn)
	return info != nil && (info.State == tcpCloseWait || info.State == tcpClose)
}

// isIdle reports whether, for the given time, no bytes came and none went to a peer that
// acknowledges them.
func isIdle(conn *socket.Conn, timeout time.Duration) bool {
	info := tcpInfo(conn)
	if info == nil {
		return true
	}
	ago := func(milliseconds uint32) time.Duration { return time.Duration(milliseconds) * time.Millisecond }
	return ago(info.Last_data_recv) >= timeout && max(ago(info.Last_data_sent), ago(info.Last_ack_recv)) >= timeout
}
