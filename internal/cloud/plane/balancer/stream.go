package balancer

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
)

// newStream is a request of an HTTP/2 connection, which comes over the pipe.
func newStream(of *connection, pipe net.Conn) *connection {
	s := &connection{
		port: of.port, conn: pipe, socket: of.socket, tls: of.tls, stream: true,
		lane: of.lane, from: of.from, born: of.born, id: of.id, certificate: of.certificate, since: of.port.node.owner.now(),
	}
	return s
}

// stream is the client's end of the pipe, with what HTTP/2 needs of it.
type stream struct {
	net.Conn
	w http.ResponseWriter
	r *http.Request
}

// request answers a request of an HTTP/2 connection.
func (c *connection) request(w http.ResponseWriter, r *http.Request) {
	ours, theirs := net.Pipe()
	inner := newStream(c, theirs)
	c.port.adopt(inner)
	c.port.node.owner.crew.serve(inner)
	stop := context.AfterFunc(r.Context(), func() { inner.interrupt(left) })
	defer stop()
	s := &stream{Conn: ours, w: w, r: r}
	var asking sync.WaitGroup
	asking.Go(s.ask)
	if c.aged() {
		w.Header().Set("Connection", "close") // tells net/http to end the connection after this
	}
	whole := s.answer()
	_ = ours.Close()
	_ = r.Body.Close() // ends ask, should it wait for the client
	asking.Wait()
	if !whole {
		panic(http.ErrAbortHandler) // net/http's way to reset a stream
	}
}

// aged tells that the connection has lived for as long as the load balancer
// lets it.
func (c *connection) aged() bool {
	p := (*c.port.node.table.Load())[c.port.number]
	return p != nil && p.lb.KeepAlive > 0 && c.port.node.owner.now()-c.born >= p.lb.KeepAlive
}

// ask writes the request as HTTP/1.1. Field names stay in lower case, as the
// client sent them. Trailers are not passed on.
func (s *stream) ask() {
	r := s.r
	b := append(make([]byte, 0, 1024), r.Method+" "+r.RequestURI+" HTTP/1.1\r\n"...)
	if r.Host != "" {
		b = append(b, "host: "+r.Host+"\r\n"...)
	}
	for name, values := range r.Header {
		if name == "Content-Length" {
			continue
		}
		for _, value := range values {
			b = append(b, strings.ToLower(name)+": "+value+"\r\n"...)
		}
	}
	var body io.Writer = s.Conn
	switch _, declared := r.Header["Content-Length"]; {
	case r.ContentLength > 0 || declared:
		b = append(strconv.AppendInt(append(b, "content-length: "...), r.ContentLength, 10), "\r\n"...)
	case r.ContentLength < 0:
		b = append(b, "transfer-encoding: chunked\r\n"...)
		body = chunks{s.Conn}
	}
	if _, err := s.Write(append(b, "\r\n"...)); err != nil || r.ContentLength == 0 {
		return
	}
	if _, err := io.Copy(body, r.Body); err != nil {
		return // the client has reset the stream, or there is an answer that needs no more
	}
	if r.ContentLength < 0 {
		_, _ = io.WriteString(s.Conn, "0\r\n\r\n")
	}
}

// chunks writes each part as a chunk.
type chunks struct{ to io.Writer }

func (c chunks) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b := append(strconv.AppendInt(make([]byte, 0, len(p)+20), int64(len(p)), 16), "\r\n"...)
	b = append(append(b, p...), "\r\n"...)
	if _, err := c.to.Write(b); err != nil {
		return 0, err
	}
	return len(p), nil
}

var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 4096) }}

// answer passes the answer on; false: it broke off, or there is none.
func (s *stream) answer() (whole bool) {
	in := readers.Get().(*bufio.Reader)
	in.Reset(s.Conn)
	defer func() { in.Reset(nil); readers.Put(in) }()
	for {
		resp, err := http.ReadResponse(in, &http.Request{Method: s.r.Method})
		if err != nil {
			return false
		}
		if resp.StatusCode >= http.StatusOK {
			defer func() { _ = resp.Body.Close() }()
			return s.deliver(resp)
		}
		if resp.StatusCode != http.StatusContinue { // which net/http says itself
			s.head(resp)
			for name := range resp.Header {
				s.w.Header().Del(name)
			}
		}
	}
}

// head writes status and fields. Nothing is guessed that the target did not say.
func (s *stream) head(resp *http.Response) {
	h := s.w.Header()
	for name, values := range resp.Header {
		if name != "Connection" && name != "Keep-Alive" {
			h[name] = values
		}
	}
	if _, ok := resp.Header["Content-Type"]; !ok && resp.StatusCode >= http.StatusOK {
		h["Content-Type"] = nil
	}
	s.w.WriteHeader(resp.StatusCode)
}

var segments = sync.Pool{New: func() any { return new([32 << 10]byte) }}

func (s *stream) deliver(resp *http.Response) (whole bool) {
	s.head(resp)
	part := segments.Get().(*[32 << 10]byte)
	defer segments.Put(part)
	flush := http.NewResponseController(s.w)
	for left := resp.ContentLength; ; {
		n, err := resp.Body.Read(part[:])
		if n > 0 {
			if _, err := s.w.Write(part[:n]); err != nil {
				return false
			}
		}
		left -= int64(n)
		switch {
		case err == io.EOF:
			for name, values := range resp.Trailer {
				s.w.Header()[http.TrailerPrefix+name] = values
			}
			return true
		case err != nil:
			return false
		case left != 0 && flush.Flush() != nil: // the last part goes with the end
			return false
		}
	}
}

// isGRPC tells requests that no target of HTTP/1.1 can answer (gRPC over HTTP/2:
// Requests).
func isGRPC(r *http1.Request) bool {
	kind, _ := r.Value("content-type")
	return bytes.HasPrefix(kind, []byte("application/grpc"))
}
