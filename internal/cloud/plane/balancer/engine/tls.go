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
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/certificate"
	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
	"aloft.dev/aloft/internal/cloud/securitypolicy"
)

// serverTLS is a listener's TLS. Established connections keep theirs when the
// configuration changes.
type serverTLS struct {
	conf    balancer.TLS
	noHTTP2 bool
	config  *tls.Config
}

// serverTLS returns the TLS of a listener, or nil if it has none. An unchanged one is
// kept, so that clients can resume their sessions.
func (n *node) serverTLS(conf *balancer.Listener) *serverTLS {
	if conf.TLS == nil {
		return nil
	}
	old := (*n.listeners.Load())[conf.Port]
	if old != nil && old.tls != nil && old.tls.noHTTP2 == n.lb.NoHTTP2 && reflect.DeepEqual(old.tls.conf, *conf.TLS) {
		return old.tls
	}
	s, err := newServerTLS(*conf.TLS, n.lb.NoHTTP2, time.Now)
	if err != nil {
		n.log.Error("configure TLS", "port", conf.Port, "error", err)
	}
	return s
}

// newServerTLS always returns TLS that works as far as possible. The error describes
// what it had to leave out.
func newServerTLS(conf balancer.TLS, noHTTP2 bool, now func() time.Time) (*serverTLS, error) {
	policy, ok := securitypolicy.Find(conf.Policy)
	var problems []error
	if !ok {
		policy, _ = securitypolicy.Find(securitypolicy.Default)
		problems = append(problems, fmt.Errorf("unknown security policy %q, using %s", conf.Policy, policy.Name))
	}
	certificates, err := certificate.Parse(conf.Certificates)
	s := &serverTLS{conf: conf, noHTTP2: noHTTP2, config: &tls.Config{
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			chosen, err := certificates.Choose(hello, now())
			if c, ok := hello.Context().Value(connectionKey{}).(*connection); ok {
				c.certificate = certificates.ARN(chosen)
			}
			return chosen, err
		},
	}}
	if noHTTP2 {
		s.config.NextProtos = s.config.NextProtos[1:]
	}
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
		if errors.As(err, &header) && header.Conn != nil && looksLikeHTTP(header.RecordHeader) {
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
