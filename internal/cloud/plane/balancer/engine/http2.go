//go:build linux

package engine

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
)

// serveHTTP2 serves a connection whose client uses HTTP/2 until it ends. The standard
// library handles the frames. Every request becomes a connection of its own that
// carries HTTP/1.1 over a pipe, so everything that is decided or counted is the same
// as without HTTP/2. Targets get the version of HTTP that their target group has. Like AWS,
// it does not support WebSockets over HTTP/2.
func (c *connection) serveHTTP2() {
	ended, one := make(chan struct{}), &singleListener{conn: c.conn, closed: make(chan struct{})}
	server := &http.Server{
		Handler:   http.HandlerFunc(c.serveStream),
		Protocols: new(http.Protocols),
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:         maxStreams,
			PermitProhibitedCipherSuites: true, // the security policy decides
		},
		IdleTimeout:    time.Duration(c.port.node.idleTimeout.Load()),
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
	c.logID() // its streams share the ID
	c.mu.Lock()
	c.phase, c.h2 = servingHTTP2, server
	interrupted := c.interruption != notInterrupted
	c.mu.Unlock()
	if interrupted {
		return
	}
	_ = server.Serve(one) // always returns an error: the listener's last Accept fails
	if one.accepted {
		<-ended
	}
}

// shutdownHTTP2 lets the client finish its requests on an HTTP/2 connection, but not
// begin new ones (RFC 9113, section 6.8: GOAWAY).
func (c *connection) shutdownHTTP2(server *http.Server) func() {
	return func() {
		now, cancel := context.WithCancel(context.Background())
		cancel() // Shutdown need not wait, because the port does
		_ = server.Shutdown(now)
	}
}

// singleListener is a listener that accepts one connection.
type singleListener struct {
	conn     net.Conn
	accepted bool
	closed   chan struct{}
	once     sync.Once
}

// Accept returns the connection. The second call waits until it is closed.
func (l *singleListener) Accept() (net.Conn, error) {
	if !l.accepted {
		l.accepted = true
		return l.conn, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

// Close ends Accept.
func (l *singleListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr returns the node's address.
func (l *singleListener) Addr() net.Addr { return l.conn.LocalAddr() }
