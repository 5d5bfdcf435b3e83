//go:build linux

package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/linklocal"
	"aloft.dev/aloft/internal/cloud/plane/metadata"
)

// forwarder asks the daemon for the responses of a service at a place.
type forwarder struct {
	daemon  *daemon
	service linklocal.Service
	place   string // id
	log     *slog.Logger
}

// connKey is the context key of a request's connection.
type connKey struct{}

func withConnection(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// ServeHTTP implements http.Handler.
func (f *forwarder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	request, err := f.request(r)
	if err != nil {
		http.Error(w, "", http.StatusBadRequest)
		return
	}
	err = f.forward(w, r, request)
	switch {
	case errors.Is(err, errNoDaemon):
		w.Header().Set("Connection", "close")
		w.Header().Set("Retry-After", "1")
		http.Error(w, "The local cloud is restarting. Try again.", http.StatusServiceUnavailable)
	case err != nil:
		f.log.Debug("forward a request", "place", f.place, "error", err)
		panic(http.ErrAbortHandler) // net/http closes the connection
	}
}

// request returns what the daemon gets to know about a request.
func (f *forwarder) request(r *http.Request) (*linklocal.Request, error) {
	source, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return nil, fmt.Errorf("read a machine's address: %w", err)
	}
	request := &linklocal.Request{
		Service: f.service, Place: f.place, Source: netip.AddrPortFrom(source.Addr().Unmap(), source.Port()),
		Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Host: r.Host,
		Length: r.ContentLength, Header: r.Header,
	}
	if f.service == linklocal.Metadata {
		request.Header, request.Length = http.Header{}, 0 // the service reads no bodies
		for _, name := range metadata.Headers() {
			if values := r.Header.Values(name); len(values) > 0 {
				request.Header[name] = values
			}
		}
	}
	return request, nil
}

// forward asks the daemon and sends its response.
func (f *forwarder) forward(w http.ResponseWriter, r *http.Request, request *linklocal.Request) error {
	frame := linklocal.NewFrame()
	defer frame.Free()
	call, err := f.call(r.Context(), request, frame)
	if err != nil {
		return err
	}
	defer func() { _ = call.Close() }()
	x := &exchange{call: call, w: w, r: r, stay: call.CloseWith(r.Context())}
	defer x.stay()
	defer x.stopBody()
	for {
		ended, err := x.take(frame)
		if ended || err != nil {
			return err
		}
		if err := call.Receive(frame); err != nil {
			return err
		}
	}
}

// call begins a call and receives the first frame of its answer. Those of the metadata service
// may be repeated.
func (f *forwarder) call(ctx context.Context, request *linklocal.Request, frame *linklocal.Frame) (*call, error) {
	if f.service == linklocal.Metadata {
		call, file, err := f.daemon.ask(ctx, linklocal.KindHTTP, request, frame)
		if file != nil {
			_ = file.Close()
		}
		return call, err
	}
	call, err := f.daemon.begin(ctx, linklocal.KindHTTP, request)
	if err != nil {
		return nil, err
	}
	stop := call.CloseWith(ctx)
	defer stop()
	if err := call.Receive(frame); err != nil {
		return nil, errors.Join(err, call.Close())
	}
	return call, nil
}

// exchange is a machine's request whose response the daemon makes.
type exchange struct {
	call *call
	w    http.ResponseWriter
	r    *http.Request
	stay func() bool // keeps the call open when the machine has gone

	sent    chan struct{} // closed when sendBody has ended; nil: it was not called
	hasBody atomic.Bool   // the end of the request's body has arrived
}

// take takes a frame of the daemon's, and reports whether it ends the response.
func (x *exchange) take(frame *linklocal.Frame) (ended bool, err error) {
	switch frame.Kind() {
	case linklocal.KindWanted:
		if x.sent != nil {
			return false, errors.New("the daemon asks twice for a body")
		}
		x.sent = make(chan struct{})
		go x.sendBody()
	case linklocal.KindResponse:
		var response linklocal.Response
		if err := response.Parse(frame.Payload()); err != nil {
			return false, err
		}
		return false, x.begin(&response)
	case linklocal.KindData:
		if _, err := x.w.Write(frame.Payload()); err != nil && !errors.Is(err, http.ErrBodyNotAllowed) {
			return false, fmt.Errorf("send a response: %w", err)
		}
	case linklocal.KindEnd:
		return true, nil
	default:
		return false, fmt.Errorf("the daemon answers with a frame %q", frame.Kind())
	}
	return false, nil
}

// begin sends the head of a response. The request's body ends before.
func (x *exchange) begin(response *linklocal.Response) error {
	x.stopBody()
	if response.Hops > 0 {
		if err := limitHops(x.r.Context(), int(response.Hops)); err != nil {
			return err
		}
	}
	header := x.w.Header()
	for name, values := range response.Header {
		header[name] = values
	}
	x.w.WriteHeader(response.Status)
	return nil
}

// sendBody sends the request's body to the daemon.
func (x *exchange) sendBody() {
	defer close(x.sent)
	frame := linklocal.NewFrame()
	defer frame.Free()
	for {
		n, err := x.r.Body.Read(frame.Space())
		if n > 0 {
			frame.Fill(n)
			if x.call.Send(linklocal.KindData, frame) != nil {
				return // the daemon needs no more
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			x.hasBody.Store(true)
			_ = x.call.SendEmpty(linklocal.KindEnd)
			return
		case err != nil:
			_ = x.call.SendEmpty(linklocal.KindBroken)
			return
		}
	}
}

// stopBody ends sendBody, which may wait for the machine or for the daemon. If the machine has
// not sent all, its connection carries no more requests.
func (x *exchange) stopBody() {
	if x.sent == nil {
		return
	}
	_ = x.call.SetWriteDeadline(time.Unix(1, 0))
	if !x.hasBody.Load() {
		x.stay() // net/http takes a deadline for the end of the connection
		_ = http.NewResponseController(x.w).SetReadDeadline(time.Unix(1, 0))
	}
	<-x.sent
}

// limitHops sets the time to live, or the hop limit of IPv6, of the response to a request with context ctx.
func limitHops(ctx context.Context, hops int) error {
	conn, ok := ctx.Value(connKey{}).(interface {
		net.Conn
		syscall.Conn
	})
	if !ok {
		return errors.New("limit hops: the request has no connection")
	}
	level, option := unix.IPPROTO_IP, unix.IP_TTL
	if at, err := netip.ParseAddrPort(conn.LocalAddr().String()); err == nil && at.Addr().Is6() {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return fmt.Errorf("limit hops: %w", err)
	}
	var optErr error
	err = raw.Control(func(fd uintptr) { optErr = unix.SetsockoptInt(int(fd), level, option, hops) })
	return errors.Join(err, optErr)
}
