//go:build linux

package loopback

import (
	"log/slog"
	"net"
	"sync"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/admission"
)

// Limits are the numbers of connections that a listener serves at once.
type Limits struct {
	Total   int // of all users
	Others  int // of all users but Owner
	PerUser int // of one of them
	Owner   int // the user for whom the rest is kept
}

// refuseTimeout bounds how long a refusal may take to write. The kernel's buffers are empty
// then, so it takes none.
const refuseTimeout = 100 * time.Millisecond

// unknown counts the connections whose user is not known, as one user's.
const unknown = -1

// Limit returns a listener that keeps the limits. It sends refusal to connections that
// exceed them, and closes them.
func Limit(l net.Listener, limits Limits, refusal []byte, log *slog.Logger) net.Listener {
	return &limited{Listener: l, refusal: refusal, log: log, open: admission.Counter[int]{
		Limits:  admission.Limits{PerSource: limits.PerUser, Total: limits.Total},
		Favored: &admission.Favored[int]{Source: limits.Owner, Others: limits.Others},
	}}
}

type limited struct {
	net.Listener
	refusal []byte
	log     *slog.Logger
	open    admission.Counter[int] // connections by user
	refused admission.Notice
}

// Accept returns the next connection within the limits.
func (l *limited) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		uid, ok := UserOf(conn)
		if !ok {
			uid = unknown
		}
		if l.open.Enter(uid) {
			return &connection{Conn: conn, leave: sync.OnceFunc(func() { l.open.Leave(uid) })}, nil
		}
		l.noteRefusal(uid)
		_ = conn.SetWriteDeadline(time.Now().Add(refuseTimeout))
		_, _ = conn.Write(l.refusal) // the client may be gone
		_ = conn.Close()
	}
}

// noteRefusal logs refusals, but not each.
func (l *limited) noteRefusal(uid int) {
	if times, due := l.refused.Due(time.Now()); due {
		of, total := l.open.Open(uid)
		l.log.Warn("refused a connection: too many are open",
			"user", uid, "of_user", of, "total", total, "times", times)
	}
}

// connection is a counted connection.
type connection struct {
	net.Conn
	leave func()
}

// Close closes the connection.
func (c *connection) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
