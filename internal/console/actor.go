package console

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Actor is a process that serves the pages of one application, as the user who runs it and with
// that user's credentials. It is at the other end of a connection, over which requests of
// browsers that have used its link reach it. So what pages ask for needs no privileges here.
type Actor struct {
	requests atomic.Pointer[http.ClientConn] // nil: it is not connected yet
}

// acted are the beginnings of the names of an actor's pages.
var acted = []string{"drills", "releases", "run"}

// isActed reports whether a path is that of an actor's page.
func isActed(path string) bool {
	_, page, _ := strings.Cut(strings.TrimPrefix(path, Path), "/")
	name, _, _ := strings.Cut(page, "/")
	for _, a := range acted {
		if name == a {
			return true
		}
	}
	return false
}

// actorProtocol is the protocol of both ends of an actor's connection: HTTP/2, in which the console
// is the client.
func actorProtocol() *http.Protocols {
	var p http.Protocols
	p.SetUnencryptedHTTP2(true)
	return &p
}

// Attach lets the actor at the other end of a connection serve the pages of an application,
// until the connection or ctx ends or the console closes. accepted receives the path of a link
// for the actor's browser before anything is sent.
func (c *Console) Attach(
	ctx context.Context, region string, conn net.Conn, accepted func(link string) error,
) error {
	actor := &Actor{}
	link, err := c.linkFor(region, actor)
	if err != nil {
		return err
	}
	if err := accepted(link); err != nil {
		return err
	}
	transport := &http.Transport{
		Protocols:   actorProtocol(),
		DialContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil },
	}
	requests, err := transport.NewClientConn(ctx, "http", "actor:80")
	if err != nil {
		return fmt.Errorf("connect to an actor: %w", err)
	}
	gone := make(chan struct{}, 1)
	requests.SetStateHook(func(requests *http.ClientConn) {
		if requests.Err() != nil {
			select {
			case gone <- struct{}{}:
			default: // it was told before
			}
		}
	})
	actor.requests.Store(requests)
	select {
	case <-gone:
	case <-ctx.Done():
	case <-c.closing:
	}
	_ = requests.Close() // the actor sees the end of the connection
	return nil
}

// isGone reports whether the actor cannot be reached.
func (a *Actor) isGone() bool {
	requests := a.requests.Load()
	return requests == nil || requests.Err() != nil
}

// pass passes a request on to an actor.
func (c *Console) pass(w http.ResponseWriter, r *http.Request, actor *Actor) {
	requests := actor.requests.Load()
	if requests == nil {
		c.noActor(w, r, nil)
		return
	}
	proxy := httputil.ReverseProxy{
		Rewrite: func(out *httputil.ProxyRequest) {
			out.Out.URL.Scheme, out.Out.URL.Host = "http", "actor"
			out.Out.Header.Del("Cookie")
		},
		Transport:     requests,
		FlushInterval: -1, // a stream's events arrive at once
		ModifyResponse: func(response *http.Response) error {
			for name := range w.Header() {
				response.Header.Del(name) // what protects pages is decided here
			}
			return nil
		},
		ErrorHandler: c.noActor,
	}
	proxy.ServeHTTP(w, r)
}

// noActor serves the page for an actor that cannot be reached.
func (c *Console) noActor(w http.ResponseWriter, r *http.Request, _ error) {
	c.problem(w, r, http.StatusBadGateway, "aloft console has ended",
		"The command that performs drills and rollbacks runs no longer. Run it again, and open its link.")
}

// ServeActor serves pages to the console at the other end of a connection until it ends, or ctx
// does.
func ServeActor(ctx context.Context, conn net.Conn, pages http.Handler) error {
	server := &http.Server{Handler: pages, Protocols: actorProtocol(), ReadHeaderTimeout: time.Minute}
	listener := &singleConn{conn: conn, ended: make(chan struct{})}
	server.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateClosed {
			listener.end()
		}
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	err := server.Serve(listener)
	_ = server.Close() // closes the connection, if that is still open
	if ctx.Err() != nil || errors.Is(err, net.ErrClosed) || errors.Is(err, http.ErrServerClosed) {
		return context.Cause(ctx)
	}
	return err
}

// singleConn is a listener with one connection. It ends with that.
type singleConn struct {
	mu      sync.Mutex
	conn    net.Conn // nil: it was accepted
	ended   chan struct{}
	endOnce sync.Once
}

func (l *singleConn) end() { l.endOnce.Do(func() { close(l.ended) }) }

// Accept returns the connection, then waits for its end.
func (l *singleConn) Accept() (net.Conn, error) {
	l.mu.Lock()
	conn := l.conn
	l.conn = nil
	l.mu.Unlock()
	if conn != nil {
		return conn, nil
	}
	<-l.ended
	return nil, net.ErrClosed
}

// Close ends the listener.
func (l *singleConn) Close() error {
	l.end()
	return nil
}

// Addr returns a name for logs.
func (l *singleConn) Addr() net.Addr { return &net.UnixAddr{Name: "console", Net: "unix"} }

// Buffered is a connection with what was read from it before.
type Buffered struct {
	net.Conn

	Reader *bufio.Reader
}

// Read reads what was read before first.
func (b Buffered) Read(p []byte) (int, error) { return b.Reader.Read(p) }
