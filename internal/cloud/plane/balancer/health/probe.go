//go:build linux

package health

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
)

// Outcome is the result of one health check.
type Outcome struct {
	NodeDown  bool // the node itself could not connect
	Connected bool
	Answered  bool // there was a response
	Code      int  // status code of the response, or of gRPC
	TimedOut  bool // no connection or no response in time
	Passed    bool
}

// A Prober checks a target once and allows connect for the connection to be made.
// It returns when it has the response or ctx ends.
type Prober func(ctx context.Context, connect time.Duration) Outcome

// Dial connects a node to a target.
type Dial func(ctx context.Context, to netip.AddrPort) (net.Conn, error)

// ErrNodeDown is returned by a Dial whose node has no network. Such a check does
// not say anything about the target.
var ErrNodeDown = errors.New("the node's network does not exist yet")

// bodyLimit is how many bytes of a response's body a check reads. The status alone
// decides.
const bodyLimit = 64 << 10

// NewProber returns the prober of a health check that the node with an address makes.
func NewProber(dial Dial, node netip.Addr, t balancer.Target, check balancer.HealthCheck) Prober {
	at := t.AddrPort()
	if check.Port != 0 {
		at = netip.AddrPortFrom(t.Address, check.Port)
	}
	if check.Connect {
		return tcpProber(dial, at)
	}
	host := ""
	if check.HostPort != 0 {
		host = netip.AddrPortFrom(node, check.HostPort).String()
	}
	return httpProber(dial, at, host, check)
}

// tcpProber returns a prober that connects and sends nothing (Network Load Balancer guide,
// Health checks for Network Load Balancer target groups).
func tcpProber(dial Dial, at netip.AddrPort) Prober {
	return func(ctx context.Context, connect time.Duration) Outcome {
		ctx, cancel := context.WithTimeout(ctx, connect)
		defer cancel()
		conn, err := dial(ctx, at)
		if err != nil {
			return failedOutcome(err)
		}
		_ = conn.Close()
		return Outcome{Connected: true, Passed: true}
	}
}

// failedOutcome returns the outcome of a check that has no response.
func failedOutcome(err error) Outcome {
	return Outcome{NodeDown: errors.Is(err, ErrNodeDown), TimedOut: NoAnswer(err)}
}

// httpProber returns a prober that behaves like ELB-HealthChecker/2.0: it makes a
// new connection for each check and does not follow redirects (Application Load
// Balancer guide, Health checks for Application Load Balancer target groups). host is
// the Host header; empty: that of the target.
func httpProber(dial Dial, at netip.AddrPort, host string, check balancer.HealthCheck) Prober {
	scheme := "http"
	if check.TLS {
		scheme = "https"
	}
	url := scheme + "://" + at.String() + check.Path
	return func(ctx context.Context, connect time.Duration) Outcome {
		var o Outcome
		trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { o.Connected = true }}
		req, err := newRequest(httptrace.WithClientTrace(ctx, trace), url, check.Version)
		if err != nil {
			return o
		}
		req.Host = cmp.Or(host, req.Host)
		req.Header.Set("User-Agent", "ELB-HealthChecker/2.0")
		to := transport(dial, at, connect, check.Version)
		defer to.CloseIdleConnections()
		resp, err := to.RoundTrip(req)
		if err != nil {
			failed := failedOutcome(err)
			failed.Connected = o.Connected
			return failed
		}
		_, _ = io.CopyN(io.Discard, resp.Body, bodyLimit)
		_ = resp.Body.Close()
		o.Answered, o.Code = true, resp.StatusCode
		if check.Version == balancer.GRPC {
			o.Code = grpcStatus(resp)
		}
		o.Passed = check.Matcher.Has(o.Code)
		return o
	}
}

// newRequest returns the request of a check: with gRPC, a call without a message.
func newRequest(ctx context.Context, url string, version balancer.Version) (*http.Request, error) {
	if version != balancer.GRPC {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err == nil {
			req.Header.Set("Accept-Encoding", "gzip, compressed")
		}
		return req, err
	}
	empty := make([]byte, 5) // not compressed, and no bytes long (gRPC over HTTP/2, Requests)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(empty))
	if err == nil {
		req.Header.Set("Content-Type", "application/grpc")
		req.Header.Set("Te", "trailers")
	}
	return req, err
}

// grpcUnknown is gRPC's status code of a response that has none.
const grpcUnknown = 2

// grpcStatus returns the status code of a gRPC response whose body has been read. It comes after
// the body, or with the head if there is none (gRPC over HTTP/2, Responses).
func grpcStatus(resp *http.Response) int {
	const field = "Grpc-Status"
	code, err := strconv.Atoi(cmp.Or(resp.Trailer.Get(field), resp.Header.Get(field)))
	if err != nil {
		return grpcUnknown
	}
	return code
}

// transport connects to the target within the time given, for a single request. It
// does not verify the target's certificate, as AWS does not (Application Load
// Balancer guide, Target groups: routing).
func transport(dial Dial, at netip.AddrPort, connect time.Duration, version balancer.Version) *http.Transport {
	t := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, connect)
			defer cancel()
			return dial(ctx, at)
		},
		TLSClientConfig:    &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // as AWS: see above
		DisableKeepAlives:  true,
		DisableCompression: true,
		Protocols:          new(http.Protocols),
	}
	t.Protocols.SetHTTP1(version == balancer.HTTP1)
	t.Protocols.SetHTTP2(version != balancer.HTTP1)
	t.Protocols.SetUnencryptedHTTP2(version != balancer.HTTP1)
	return t
}

// NoAnswer reports whether err means that a target did not answer in time, rather
// than that it refused. On AWS no host answers for an address that is not assigned,
// so the kernel's "no route to host" counts as silence.
func NoAnswer(err error) bool {
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout() ||
		errors.Is(err, unix.EHOSTUNREACH)
}
