package balancer

import (
	"time"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/balancer/socket"
)

// sweepEvery is how often all connections are looked at. What ends for lack of
// bytes ends up to this much late.
const sweepEvery = 250 * time.Millisecond

// lookAfter is how long a client waits for an answer before it is looked whether
// it still does. To ask the kernel costs as much as to send the answer, and under
// load everybody waits.
const lookAfter = time.Second

// sweep enforces time-outs and notices clients that have gone.
func (e *Engine) sweep() {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for wait(e.ctx, tick.C, nil) {
		now := e.now()
		e.swept.Store(int64(now))
		for _, p := range e.ports() {
			idle := time.Duration(p.node.idle.Load())
			p.each(func(c *connection) { c.inspect(now, idle) })
		}
		for _, pool := range e.connections() {
			pool.reap(now)
		}
	}
}

// inspect interrupts the connection if it has waited for too long, or for
// nobody.
func (c *connection) inspect(now, idle time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	waited := now - c.since
	if waited < sweepEvery/2 || c.fate != none {
		return
	}
	switch c.phase {
	case connecting: // has a bound of its own
	case resting, asking:
		if waited >= idle {
			c.doom(idled)
		}
	case thinking, flowing:
		c.inspectTarget(waited, idle)
	}
}

// inspectTarget looks at a connection whose request is with a target.
func (c *connection) inspectTarget(waited, idle time.Duration) {
	late := waited >= idle
	switch {
	case c.up != nil && c.up.expelled():
		c.doom(expelled)
	case c.phase == thinking && waited >= lookAfter && closed(c.socket):
		c.doom(left)
	case late && c.phase == thinking:
		c.doom(idled)
	case late && still(c.socket, idle) && (c.up == nil || still(c.up.socket, idle)):
		c.doom(idled)
	}
}

// facts asks the kernel about a connection (tcp(7): TCP_INFO).
func facts(of *socket.Conn) *unix.TCPInfo {
	var info *unix.TCPInfo
	_ = of.Control(func(fd uintptr) {
		info, _ = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	})
	return info
}

// TCP's states when the peer has sent its last byte, or the connection is gone
// (linux/net/tcp_states.h).
const (
	tcpClose     = 7
	tcpCloseWait = 8
)

// closed tells that the peer has closed the connection.
func closed(conn *socket.Conn) bool {
	info := facts(conn)
	return info != nil && (info.State == tcpCloseWait || info.State == tcpClose)
}

// still tells that no bytes have come for so long, and none have gone to
// somebody who takes them.
func still(conn *socket.Conn, idle time.Duration) bool {
	info := facts(conn)
	if info == nil {
		return true
	}
	since := func(milliseconds uint32) time.Duration { return time.Duration(milliseconds) * time.Millisecond }
	return since(info.Last_data_recv) >= idle && max(since(info.Last_data_sent), since(info.Last_ack_recv)) >= idle
}

// linger lets the client read what was written to it: to close at once while
// bytes of its own are still unread would reset the connection (RFC 9112,
// section 9.6).
func (c *connection) linger() {
	half, ok := c.conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	rest := make([]byte, 4096)
	_ = c.conn.SetReadDeadline(time.Now().Add(time.Second))
	for range 256 {
		if _, err := c.conn.Read(rest); err != nil {
			return
		}
	}
}
