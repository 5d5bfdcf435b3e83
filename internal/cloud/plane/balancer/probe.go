package balancer

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
)

// prober asks the target as ELB-HealthChecker/2.0 does: every time over a new
// connection, without following redirects (Application Load Balancer guide,
// Health checks for Application Load Balancer target groups).
func (n *node) prober(t Target, check HealthCheck) prober {
	scheme, at := "http", t.addrPort()
	if check.TLS {
		scheme = "https"
	}
	if check.Port != 0 {
		at = netip.AddrPortFrom(t.Address, check.Port)
	}
	return func(ctx context.Context, connect time.Duration) outcome {
		var o outcome
		transport := &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				ctx, cancel := context.WithTimeout(ctx, connect)
				defer cancel()
				return n.dial(ctx, nil, at)
			},
			TLSClientConfig: &tls.Config{
				InsecureSkipVerify: true,
			}, //nolint:gosec // as AWS does not either: Application Load Balancer guide, Target groups: routing
			DisableKeepAlives:  true,
			DisableCompression: true,
		}
		traced := httptrace.WithClientTrace(
			ctx,
			&httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { o.connected = true }},
		)
		req, err := http.NewRequestWithContext(traced, http.MethodGet, scheme+"://"+at.String()+check.Path, nil)
		if err != nil {
			return o
		}
		req.Header.Set("User-Agent", "ELB-HealthChecker/2.0")
		req.Header.Set("Accept-Encoding", "gzip, compressed")
		answer, err := transport.RoundTrip(req)
		if err != nil {
			o.broken = errors.Is(err, errNoNamespace)
			o.late = failure(err) == http.StatusGatewayTimeout
			return o
		}
		_, _ = io.CopyN(io.Discard, answer.Body, 64<<10) // the status decides
		_ = answer.Body.Close()
		o.code = answer.StatusCode
		o.passed = check.Matcher.Has(o.code)
		return o
	}
}
