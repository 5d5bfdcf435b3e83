//go:build linux

package health

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
)

// Outcome is the result of one health check.
type Outcome struct {
	NodeDown  bool // the node itself could not connect
	Connected bool
	Code      int  // status code of the response; 0: there was none
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

// HTTPProber returns a prober that behaves like ELB-HealthChecker/2.0: it makes a
// new connection for each check and does not follow redirects (Application Load
// Balancer guide, Health checks for Application Load Balancer target groups).
func HTTPProber(dial Dial, t balancer.Target, check balancer.HealthCheck) Prober {
	scheme, at := "http", t.AddrPort()
	if check.TLS {
		scheme = "https"
	}
	if check.Port != 0 {
		at = netip.AddrPortFrom(t.Address, check.Port)
	}
	url := scheme + "://" + at.String() + check.Path
	return func(ctx context.Context, connect time.Duration) Outcome {
		var o Outcome
		trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { o.Connected = true }}
		req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), http.MethodGet, url, nil)
		if err != nil {
			return o
		}
		req.Header.Set("User-Agent", "ELB-HealthChecker/2.0")
		req.Header.Set("Accept-Encoding", "gzip, compressed")
		resp, err := transport(dial, at, connect).RoundTrip(req)
		if err != nil {
			o.NodeDown = errors.Is(err, ErrNodeDown)
			o.TimedOut = NoAnswer(err)
			return o
		}
		_, _ = io.CopyN(io.Discard, resp.Body, bodyLimit)
		_ = resp.Body.Close()
		o.Code = resp.StatusCode
		o.Passed = check.Matcher.Has(o.Code)
		return o
	}
}

// transport connects to the target within the time given, for a single request. It
// does not verify the target's certificate, as AWS does not (Application Load
// Balancer guide, Target groups: routing).
func transport(dial Dial, at netip.AddrPort, connect time.Duration) *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, connect)
			defer cancel()
			return dial(ctx, at)
		},
		TLSClientConfig:    &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // as AWS: see above
		DisableKeepAlives:  true,
		DisableCompression: true,
	}
}

// NoAnswer reports whether err means that a target did not answer in time, rather
// than that it refused. On AWS no host answers for an address that is not assigned,
// so the kernel's "no route to host" counts as silence.
func NoAnswer(err error) bool {
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout() ||
		errors.Is(err, unix.EHOSTUNREACH)
}
