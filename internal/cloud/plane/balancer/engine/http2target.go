//go:build linux

package engine

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
)

// newHTTP2Transport returns what sends requests to a target that uses HTTP/2. The standard library
// handles connections and frames; it opens as many connections as the streams need.
func (p *upstreamPool) newHTTP2Transport() *http.Transport {
	t := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, connectTimeout)
			defer cancel()
			conn, err := p.node.dialTarget(ctx, p.at)
			if err == nil {
				p.node.counts.lanes[0].sums[newConnections].Add(1)
			}
			return conn, err
		},
		// Certificates of targets are not verified: see connect.
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // as AWS
		TLSHandshakeTimeout: connectTimeout,
		Protocols:           new(http.Protocols),
		IdleConnTimeout:     time.Duration(p.node.idleTimeout.Load()),
		DisableCompression:  true,
	}
	t.Protocols.SetHTTP2(p.tls)
	t.Protocols.SetUnencryptedHTTP2(!p.tls)
	return t
}

// accepts reports whether a target group with the pool's protocol version takes the request
// (Application Load Balancer guide, Target groups: Protocol version).
func (p *upstreamPool) accepts(c *connection, r *http1.Request) bool {
	switch p.version {
	case balancer.HTTP2:
		return c.stream
	case balancer.GRPC:
		return c.stream && string(r.Method) == http.MethodPost
	default:
		return !c.stream || !isGRPC(r)
	}
}

// carrier is the engine's end of a pipe that carries one request as HTTP/1.1 to where it becomes a
// request of HTTP/2. So everything that is decided or counted is the same for all targets.
type carrier struct {
	net.Conn
	now    func() time.Duration
	cancel context.CancelFunc
	moved  atomic.Int64          // when bytes last passed, on the engine's clock
	failed atomic.Pointer[error] // why there is no response
}

// carry begins a request to a target that uses HTTP/2.
func (p *upstreamPool) carry() *upstream {
	ours, theirs := net.Pipe()
	engine := p.node.engine
	ctx, cancel := context.WithCancel(engine.ctx)
	c := &carrier{Conn: ours, now: engine.now, cancel: cancel}
	c.moved.Store(int64(engine.now()))
	engine.tasks.Go(func() {
		defer cancel()
		defer func() { _ = theirs.Close() }()
		if err := p.exchangeHTTP2(ctx, theirs); err != nil {
			c.failed.Store(&err)
		}
	})
	return &upstream{pool: p, conn: c}
}

// Read reads from the response. It returns why there is none.
func (c *carrier) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.moved.Store(int64(c.now()))
	}
	if why := c.failed.Load(); errors.Is(err, io.EOF) && why != nil {
		err = *why
	}
	return n, err
}

// Write writes to the request.
func (c *carrier) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if n > 0 {
		c.moved.Store(int64(c.now()))
	}
	return n, err
}

// Close ends the request; a target that still works on it is told (RFC 9113, section 8.1:
// RST_STREAM).
func (c *carrier) Close() error {
	c.cancel()
	return c.Conn.Close()
}

// idle reports whether no bytes have passed for the given time.
func (c *carrier) idle(timeout time.Duration) bool {
	return c.now()-time.Duration(c.moved.Load()) >= timeout
}

// exchangeHTTP2 reads a request of HTTP/1.1 from a pipe, sends it over HTTP/2 and writes the
// response to the pipe. It returns an error if there is no response.
func (p *upstreamPool) exchangeHTTP2(ctx context.Context, pipe net.Conn) error {
	r, err := http.ReadRequest(bufio.NewReader(pipe))
	if err != nil {
		return err
	}
	r.URL.Scheme, r.URL.Host, r.RequestURI = "http", p.at.String(), ""
	if p.tls {
		r.URL.Scheme = "https"
	}
	if _, named := r.Header["User-Agent"]; !named {
		r.Header["User-Agent"] = nil // no user agent, in place of the library's own
	}
	if p.version == balancer.GRPC {
		r.Header.Set("Te", "trailers") // gRPC over HTTP/2, Requests; the engine drops the client's
	}
	resp, err := p.http2.RoundTrip(r.WithContext(ctx))
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	writeResponse(pipe, resp)
	return nil
}

// writeResponse writes a response of HTTP/2 as one of HTTP/1.1, after which the connection ends. A
// response that breaks off has no end there either.
func writeResponse(to io.Writer, resp *http.Response) {
	sized := resp.ContentLength >= 0 && len(resp.Trailer) == 0
	b := append(make([]byte, 0, 1024), "HTTP/1.1 "...)
	b = append(strconv.AppendInt(b, int64(resp.StatusCode), 10), " \r\nconnection: close\r\n"...)
	b = appendHeader(b, resp.Header)
	bodiless := resp.Request.Method == http.MethodHead || resp.StatusCode == http.StatusNotModified ||
		resp.StatusCode == http.StatusNoContent
	var body io.Writer = chunkWriter{to}
	switch {
	case sized && resp.StatusCode != http.StatusNoContent:
		b = appendNumber(b, "content-length: ", resp.ContentLength)
		body = to
	case !bodiless:
		b = append(b, "transfer-encoding: chunked\r\n"...)
	}
	if _, err := to.Write(append(b, "\r\n"...)); err != nil || bodiless {
		return
	}
	if _, err := io.Copy(body, resp.Body); err != nil || sized {
		return
	}
	b = appendHeader(append(b[:0], "0\r\n"...), resp.Trailer)
	_, _ = to.Write(append(b, "\r\n"...))
}

// appendHeader appends the fields but the length of the body.
func appendHeader(b []byte, header http.Header) []byte {
	for name, values := range header {
		if name == "Content-Length" {
			continue
		}
		for _, value := range values {
			b = append(append(append(append(b, name...), ": "...), value...), "\r\n"...)
		}
	}
	return b
}
