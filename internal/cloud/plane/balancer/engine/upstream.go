//go:build linux

package engine

import (
	"net"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer/socket"
)

// upstream is a connection to a target.
type upstream struct {
	pool *upstreamPool
	conn net.Conn        // the socket, TLS over it, or a carrier
	raw  *socket.Conn    // conn if it is plain TCP; else nil
	used time.Duration   // when its last response ended
	buf  *responseBuffer // the unsent part of the response; nil: there is none

	socket *socket.Conn // nil: conn is a carrier
}

// deregistered reports whether the target's registration has ended.
func (u *upstream) deregistered() bool { return u.pool.registered.Err() != nil }

// idle reports whether no bytes have passed for the given time.
func (u *upstream) idle(timeout time.Duration) bool {
	if c, ok := u.conn.(*carrier); ok {
		return c.idle(timeout)
	}
	return isIdle(u.socket, timeout)
}

// read waits for bytes of the response, without a buffer while there are none. If then
// is not nil, a loop does not wait but returns socket.ErrNotReady and resumes then.
func (u *upstream) read(then socket.Server) error {
	if u.buf != nil || u.raw == nil {
		if u.buf == nil {
			u.buf = newResponseBuffer()
		}
		n, err := u.conn.Read(u.buf.space())
		u.buf.end += n
		if n > 0 {
			return nil
		}
		return err
	}
	for {
		if err := u.raw.WaitRead(then); err != nil {
			return err
		}
		b := newResponseBuffer()
		n, err := u.raw.TryRead(b.space())
		if err == nil {
			b.end += n
			u.buf = b
			return nil
		}
		if b.release(); err != socket.ErrNotReady { //nolint:errorlint // it is never wrapped
			return err
		}
	}
}

// close closes the connection and drops what came of a response.
func (u *upstream) close() {
	u.releaseBuffer()
	_ = u.conn.Close()
}

func (u *upstream) releaseBuffer() {
	if u.buf != nil {
		u.buf.release()
		u.buf = nil
	}
}
