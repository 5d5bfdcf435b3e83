//go:build linux

package linklocal

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime/debug"
	"sync"
	"time"
)

// serveHTTP answers a request with the handler of its service.
func (s *server) serveHTTP(ctx context.Context, stream *Stream, request *Request) (err error) {
	handler := s.API
	switch request.Service {
	case Metadata:
		handler = s.Metadata(request.Place)
	case Endpoint:
		handler = s.Endpoint(request.Place)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	x := &exchange{stream: stream, header: http.Header{}, machineGone: cancel, frame: NewFrame()}
	defer x.free()
	defer x.reading.Wait()
	defer func() {
		if p := recover(); p != nil {
			_ = stream.Close()             // without an end, so that the process closes the machine's connection
			if p != http.ErrAbortHandler { //nolint:errorlint // as net/http compares it
				s.log.Error("a handler panicked", "panic", p, "stack", string(debug.Stack()))
			}
			err = http.ErrAbortHandler
		}
	}()
	r, err := x.request(ctx, request)
	if err != nil {
		return err
	}
	handler.ServeHTTP(x, r)
	return x.end()
}

// exchange is a request and the writer of its response.
type exchange struct {
	stream *Stream
	frame  *Frame // of the body to send
	header http.Header
	hops   uint8
	begun  bool  // the head of the response is sent
	failed error // what kept it from being sent

	machineGone func()
	reading     sync.WaitGroup
	body        *body // nil: the request has none
}

// free gives back the buffers.
func (x *exchange) free() {
	x.frame.Free()
	if x.body != nil && x.body.frame != nil {
		x.body.frame.Free()
	}
}

// request returns the request that the handler gets.
func (x *exchange) request(ctx context.Context, from *Request) (*http.Request, error) {
	path, err := url.PathUnescape(from.Path)
	if err != nil {
		return nil, fmt.Errorf("read a path: %w", err)
	}
	target := from.Path
	if from.Query != "" {
		target += "?" + from.Query
	}
	r := &http.Request{
		Method: from.Method, URL: &url.URL{Path: path, RawPath: from.Path, RawQuery: from.Query},
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: from.Header, Host: from.Host, RemoteAddr: from.Source.String(), RequestURI: target,
		ContentLength: from.Length, Body: http.NoBody,
	}
	if from.Service == Endpoint {
		r.TLS = &tls.ConnectionState{} // the process has ended it
	}
	if from.Length == 0 {
		x.watch()
	} else {
		x.body = &body{exchange: x}
		r.Body = x.body
	}
	return r.WithContext(ctx), nil
}

// watch cancels the request when the process closes the stream, because the machine has gone or
// has the whole response. Nothing else reads from the stream any more.
func (x *exchange) watch() {
	x.reading.Go(func() {
		defer x.machineGone()
		f := NewFrame()
		defer f.Free()
		for x.stream.Receive(f) == nil {
			continue // a body that the handler did not read
		}
	})
}

// Header implements http.ResponseWriter.
func (x *exchange) Header() http.Header { return x.header }

// LimitHops makes the network drop the response after a number of hops.
func (x *exchange) LimitHops(hops int) error {
	x.hops = uint8(min(hops, 255))
	return nil
}

// SetReadDeadline implements the method that http.ResponseController calls.
func (x *exchange) SetReadDeadline(at time.Time) error { return x.stream.SetReadDeadline(at) }

// WriteHeader implements http.ResponseWriter.
func (x *exchange) WriteHeader(status int) {
	if x.begun {
		return
	}
	x.begun = true
	x.failed = x.stream.SendMessage(KindResponse, &Response{Status: status, Hops: x.hops, Header: x.header})
}

// Write implements http.ResponseWriter.
func (x *exchange) Write(p []byte) (written int, err error) {
	x.WriteHeader(http.StatusOK)
	if x.failed != nil {
		return 0, x.failed
	}
	for len(p) > 0 {
		n := copy(x.frame.Space(), p)
		x.frame.Fill(n)
		if err := x.stream.Send(KindData, x.frame); err != nil {
			return written, err
		}
		written, p = written+n, p[n:]
	}
	return written, nil
}

// end ends the response, and waits until the process has it: what a closed socket has not read
// takes what it has sent with it (unix(7), ECONNRESET).
func (x *exchange) end() error {
	x.WriteHeader(http.StatusOK)
	if x.failed != nil {
		return errors.Join(x.failed, x.stream.Close())
	}
	if err := x.stream.SendEmpty(KindEnd); err != nil {
		return errors.Join(err, x.stream.Close())
	}
	if err := x.stream.SetReadDeadline(time.Now().Add(drainTimeout)); err != nil {
		return fmt.Errorf("end a response: %w", err)
	}
	if x.body != nil && !x.body.ended {
		x.watch()
	}
	x.reading.Wait()
	return nil
}

// body is the body of a request. The process sends it once it is read.
type body struct {
	exchange *exchange
	frame    *Frame
	rest     []byte
	ended    bool // by the process
	err      error
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	for len(b.rest) == 0 && b.err == nil {
		b.err = b.receive()
	}
	if len(b.rest) == 0 {
		return 0, b.err
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// receive receives the next part.
func (b *body) receive() error {
	stream := b.exchange.stream
	if b.frame == nil {
		b.frame = NewFrame()
		if err := stream.SendEmpty(KindWanted); err != nil {
			return err
		}
	}
	if err := stream.Receive(b.frame); err != nil {
		return err
	}
	switch b.frame.Kind() {
	case KindData:
		b.rest = b.frame.Payload()
		return nil
	case KindEnd:
		b.ended = true
		_ = stream.SetReadDeadline(time.Time{}) // as net/http removes it
		b.exchange.watch()
		return io.EOF
	case KindBroken:
		return io.ErrUnexpectedEOF
	}
	return errors.Join(errEncoding, stream.Close())
}

// Close implements io.Closer.
func (b *body) Close() error { return nil }
