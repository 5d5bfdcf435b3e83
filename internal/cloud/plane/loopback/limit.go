//go:build linux

package loopback

import (
	"log/slog"
	"net"
	"sync"
	"time"
)

// Limits are the numbers of connections that a listener serves at once.
type Limits struct {
	Total   int // of all users
	Others  int // of all users but Owner
	PerUser int // of one of them
	Owner   int // the user for whom the rest is kept
}

// logInterval is the shortest time between two log lines about refused connections.
const logInterval = 10 * time.Second

// refuseTimeout bounds how long a refusal may take to write. The kernel's buffers are empty
// then, so it takes none.
const refuseTimeout = 100 * time.Millisecond

// unknown counts the connections whose user is not known, as one user's.
const unknown = -1

// Limit returns a listener that keeps the limits. It sends refusal to connections that
// exceed them, and closes them.
func Limit(l net.Listener, limits Limits, refusal []byte, log *slog.Logger) net.Listener {
	return &limited{Listener: l, limits: limits, refusal: refusal, log: log, open: map[int]int{}}
}

type limited struct {
	net.Listener
	limits  Limits
	refusal []byte
	log     *slog.Logger

	mu     sync.Mutex
	open   map[int]int // connections by user
	total  int
	logged time.Time
	more   int // refused since logged
}

// Accept returns the next connection within the limits.
func (l *limited) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		uid, ok := userOf(conn)
		if !ok {
			uid = unknown
		}
		if l.enter(uid) {
			return &connection{Conn: conn, leave: sync.OnceFunc(func() { l.leave(uid) })}, nil
		}
		_ = conn.SetWriteDeadline(time.Now().Add(refuseTimeout))
		_, _ = conn.Write(l.refusal) // the client may be gone
		_ = conn.Close()
	}
}

// enter counts a connection of a user, unless it exceeds the limits.
func (l *limited) enter(uid int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	others := l.total - l.open[l.limits.Owner]
	if l.total >= l.limits.Total ||
		uid != l.limits.Owner && (others >= l.limits.Others || l.open[uid] >= l.limits.PerUser) {
		l.noteRefusal(uid)
		return false
	}
	l.open[uid]++
	l.total++
	return true
}

func (l *limited) leave(uid int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total--
	if l.open[uid]--; l.open[uid] == 0 {
		delete(l.open, uid)
	}
}

// noteRefusal logs refusals, but not each. The lock is held.
func (l *limited) noteRefusal(uid int) {
	if now := time.Now(); now.Sub(l.logged) >= logInterval {
		l.log.Warn("refused a connection: too many are open", "user", uid, "of_user", l.open[uid],
			"total", l.total, "refused_before", l.more)
		l.logged, l.more = now, 0
		return
	}
	l.more++
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
