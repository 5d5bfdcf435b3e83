//go:build linux

package engine

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/certificate"
	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
	"aloft.dev/aloft/internal/cloud/securitypolicy"
)

// serverTLS is a listener's TLS. Established connections keep theirs when the
// configuration changes.
type serverTLS struct {
	conf      balancer.TLS
	protocols []string
	config    *tls.Config
}

// serverTLS returns the TLS of a listener, or nil if it has none. An unchanged one is
// kept, so that clients can resume their sessions.
func (n *node) serverTLS(conf *balancer.Listener) *serverTLS {
	if conf.TLS == nil {
		return nil
	}
	old, protocols := (*n.listeners.Load())[conf.Port], n.protocols(conf)
	if old != nil && old.tls != nil && slices.Equal(old.tls.protocols, protocols) &&
		reflect.DeepEqual(old.tls.conf, *conf.TLS) {
		return old.tls
	}
	s, err := newServerTLS(*conf.TLS, protocols, time.Now)
	if err != nil {
		n.log.Error("configure TLS", "port", conf.Port, "error", err)
	}
	if conf.Opaque {
		s.config.GetConfigForClient = withoutMismatch(s.config)
	}
	return s
}

// protocols returns the protocols that a listener negotiates by ALPN.
func (n *node) protocols(conf *balancer.Listener) []string {
	switch {
	case conf.Opaque:
		return conf.TLS.Protocols
	case n.lb.NoHTTP2:
		return []string{"http/1.1"}
	}
	return []string{"h2", "http/1.1"}
}

// withoutMismatch returns a function that does without ALPN for clients that support none of
// the protocols (Network Load Balancer guide, ALPN policies).
func withoutMismatch(config *tls.Config) func(*tls.ClientHelloInfo) (*tls.Config, error) {
	without := config.Clone()
	without.NextProtos = nil
	return func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if slices.ContainsFunc(hello.SupportedProtos, func(p string) bool {
			return slices.Contains(config.NextProtos, p)
		}) {
			return nil, nil // the listener's own
		}
		return without, nil
	}
}

// newServerTLS always returns TLS that works as far as possible. The error describes
// what it had to leave out.
func newServerTLS(conf balancer.TLS, protocols []string, now func() time.Time) (*serverTLS, error) {
	policy, ok := securitypolicy.Find(conf.Policy)
	var problems []error
	if !ok {
		policy, _ = securitypolicy.Find(securitypolicy.Default)
		problems = append(problems, fmt.Errorf("unknown security policy %q, using %s", conf.Policy, policy.Name))
	}
	certificates, err := certificate.Parse(conf.Certificates)
	s := &serverTLS{conf: conf, protocols: protocols, config: &tls.Config{
		NextProtos: protocols,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			chosen, err := certificates.Choose(hello, now())
			if c, ok := hello.Context().Value(connectionKey{}).(*connection); ok {
				c.certificate = certificates.ARN(chosen)
			}
			return chosen, err
		},
	}}
	policy.ApplyTo(s.config)
	return s, errors.Join(append(problems, err)...)
}

// connectionKey is the key of the connection in the context of its handshake.
type connectionKey struct{}

// handshake makes the TLS handshake. It returns false if the connection must end.
func (c *connection) handshake(conn *tls.Conn) bool {
	_ = conn.SetDeadline(time.Now().Add(handshakeTimeout))
	err := conn.HandshakeContext(context.WithValue(context.Background(), connectionKey{}, c))
	if err != nil {
		var header tls.RecordHeaderError
		if l := c.port.listener(); errors.As(err, &header) && header.Conn != nil &&
			looksLikeHTTP(header.RecordHeader) && l != nil && !l.conf.Opaque {
			c.refusePlainHTTP(header.Conn)
		}
		c.port.node.counts.lanes[0].sums[tlsErrors].Add(1)
		c.port.node.log.Debug("TLS handshake", "port", c.port.number, "client", c.client, "error", err)
		return false
	}
	c.port.secured(c)
	state := conn.ConnectionState()
	c.tls = &state
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.interruption != notInterrupted {
		return false
	}
	_ = conn.SetDeadline(time.Time{})
	return true
}

// looksLikeHTTP reports whether the bytes in place of a TLS record's header begin an
// HTTP request.
func looksLikeHTTP(header [5]byte) bool {
	for _, b := range header[:3] {
		if b < 'A' || b > 'Z' {
			return false
		}
	}
	return true
}

// refusePlainHTTP responds to a request without TLS as AWS does.
func (c *connection) refusePlainHTTP(conn net.Conn) {
	c.mu.Lock()
	c.conn, c.raw = conn, nil
	c.mu.Unlock()
	x := newExchange()
	x.acquireScratch()
	x.req.Framing, x.req.Method = http1.NoBody, nil
	const text = "The plain HTTP request was sent to HTTPS port"
	page := errorPage("400 "+text, "400 Bad Request", "<center>"+text+"</center>\r\n")
	c.respond(x, http.StatusBadRequest, "", "text/html", page, false)
	x.releaseScratch()
	x.release()
}
