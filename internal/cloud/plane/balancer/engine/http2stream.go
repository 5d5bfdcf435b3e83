//go:build linux

package engine

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// stream is the client's end of the pipe that carries an HTTP/2 request as HTTP/1.1.
type stream struct {
	net.Conn
	w http.ResponseWriter
	r *http.Request
}

// newStream returns the connection for a request of an HTTP/2 connection.
func newStream(of *connection, pipe net.Conn) *connection {
	return &connection{
		port: of.port, conn: pipe, lane: of.lane, since: of.port.node.engine.now(),
		stream: true, client: of.client, accepted: of.accepted,
		socket: of.socket, tls: of.tls, id: of.id, certificate: of.certificate,
	}
}

// serveStream serves a request of an HTTP/2 connection.
func (c *connection) serveStream(w http.ResponseWriter, r *http.Request) {
	ours, theirs := net.Pipe()
	inner := newStream(c, theirs)
	c.port.addStream(inner)
	c.port.node.engine.workers.serve(inner)
	stop := context.AfterFunc(r.Context(), func() { inner.interrupt(clientGone) })
	defer stop()
	s := &stream{Conn: ours, w: w, r: r}
	var sending sync.WaitGroup
	sending.Go(s.sendRequest)
	if l := c.port.listener(); l != nil && l.pastKeepAlive(c.port.node.engine.now()-c.accepted) {
		w.Header().Set("Connection", "close") // net/http ends the connection after this request
	}
	whole := s.receiveResponse()
	_ = ours.Close()
	_ = r.Body.Close() // ends sendRequest if it waits for the client
	sending.Wait()
	if !whole {
		panic(http.ErrAbortHandler) // net/http resets the stream
	}
}

// sendRequest writes the request as HTTP/1.1. Field names stay in lower case, as the
// client sent them. It drops trailers.
func (s *stream) sendRequest() {
	r := s.r
	if malformed(r) {
		_, _ = io.WriteString(s.Conn, "malformed\r\n\r\n") // the parser refuses it, and all is counted
		return
	}
	b := append(make([]byte, 0, 1024), r.Method+" "+r.RequestURI+" HTTP/1.1\r\n"...)
	if r.Host != "" {
		b = append(b, "host: "+r.Host+"\r\n"...)
	}
	for name, values := range r.Header {
		if name == "Content-Length" || name == "Host" {
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
		body = chunkWriter{s.Conn}
	}
	if _, err := s.Write(append(b, "\r\n"...)); err != nil || r.ContentLength == 0 {
		return
	}
	if _, err := io.Copy(body, r.Body); err != nil {
		return // the client has reset the stream, or the response needs no more of the body
	}
	if r.ContentLength < 0 {
		_, _ = io.WriteString(s.Conn, "0\r\n\r\n")
	}
}

// malformed reports whether HTTP/1.1 would say something else than the client did (RFC 9113,
// sections 8.1.1 and 8.3.1). net/http has checked the names and the values of fields.
func malformed(r *http.Request) bool {
	if strings.Contains(r.Method, " ") || !strings.HasPrefix(r.RequestURI, "/") && r.RequestURI != "*" {
		return true
	}
	for _, host := range r.Header["Host"] {
		if host != r.Host {
			return true
		}
	}
	for i, length := range r.Header["Content-Length"] {
		n, err := strconv.ParseInt(length, 10, 64)
		if i > 0 || err != nil || n != r.ContentLength {
			return true
		}
	}
	return false
}

// chunkWriter writes each part as a chunk.
type chunkWriter struct{ to io.Writer }

func (c chunkWriter) Write(p []byte) (int, error) {
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

// receiveResponse passes the response to the client. It returns false if the response
// is missing or incomplete.
func (s *stream) receiveResponse() (whole bool) {
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
			return s.sendResponse(resp, in.Buffered() > 0)
		}
		if resp.StatusCode != http.StatusContinue { // net/http sends 100 itself
			s.sendHead(resp)
			for name := range resp.Header {
				s.w.Header().Del(name)
			}
		}
	}
}

// sendHead sends the status and the header fields. It keeps net/http from guessing a
// type that the target did not send.
func (s *stream) sendHead(resp *http.Response) {
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

// sendResponse sends the final response. It flushes every part, so that streamed
// responses are not delayed; the last part goes together with the end, and the head with the
// first part if that has come.
func (s *stream) sendResponse(resp *http.Response, begun bool) (whole bool) {
	s.sendHead(resp)
	part := segments.Get().(*[32 << 10]byte)
	defer segments.Put(part)
	flush := http.NewResponseController(s.w)
	if !begun && resp.ContentLength != 0 && s.r.Method != http.MethodHead && flush.Flush() != nil {
		return false
	}
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
		case left != 0 && flush.Flush() != nil:
			return false
		}
	}
}
