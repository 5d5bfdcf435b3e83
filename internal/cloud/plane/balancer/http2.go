package balancer

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
)

// maxStreams is how many requests one HTTP/2 connection can have under way
// (Application Load Balancer guide, Listeners: HTTP/2 and gRPC support).
const maxStreams = 128

// serveHTTP2 serves a connection whose client speaks HTTP/2, until it ends. The
// standard library does the framing. Every request becomes a connection of its
// own, over a pipe, in HTTP/1.1: so all that is decided about it, and all that is
// counted, is what it would be without HTTP/2. Targets get HTTP/1.1 either way.
// WebSockets are not offered over HTTP/2, nor does AWS.
func (c *connection) serveHTTP2() {
	ended, one := make(chan struct{}), &oneConnection{conn: c.conn, closed: make(chan struct{})}
	server := &http.Server{
		Handler:   http.HandlerFunc(c.request),
		Protocols: new(http.Protocols),
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:         maxStreams,
			PermitProhibitedCipherSuites: true,
		}, // the policy decides on ciphers
		IdleTimeout:    time.Duration(c.port.node.idle.Load()),
		MaxHeaderBytes: http1.MaxRequestHead,
		ErrorLog:       slog.NewLogLogger(c.port.node.log.Handler(), slog.LevelDebug),
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed {
				close(ended)
				_ = one.Close()
			}
		},
	}
	server.Protocols.SetHTTP2(true)
	c.traceID() // which its streams share
	c.mu.Lock()
	c.phase, c.h2 = carrying, server
	doomed := c.fate != none
	c.mu.Unlock()
	if doomed {
		return
	}
	_ = server.Serve(one) // always ends with an error, the last one of which is the connection's
	if one.taken {
		<-ended
	}
}

// sayGoodbye lets the client finish what it has begun on an HTTP/2 connection,
// and no more (RFC 9113, section 6.8: GOAWAY).
func (c *connection) sayGoodbye(server *http.Server) func() {
	return func() {
		now, cancel := context.WithCancel(context.Background())
		cancel() // who waits for the connection's end is the port
		_ = server.Shutdown(now)
	}
}

// oneConnection is a listener at which a connection comes in, and no other.
type oneConnection struct {
	conn   net.Conn
	taken  bool
	closed chan struct{}
	once   sync.Once
}

// Accept gives the connection, and then waits until it is closed.
func (l *oneConnection) Accept() (net.Conn, error) {
	if !l.taken {
		l.taken = true
		return l.conn, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

// Close ends Accept.
func (l *oneConnection) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr is the node's.
func (l *oneConnection) Addr() net.Addr { return l.conn.LocalAddr() }
