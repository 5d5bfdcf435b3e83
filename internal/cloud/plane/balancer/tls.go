package balancer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"reflect"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
	"aloft.dev/aloft/internal/cloud/securitypolicy"
)

// TLS is how a listener speaks it with clients.
type TLS struct {
	// Certificates begin with the default one. The others are the listener's
	// certificate list, from which the name that a client asks for chooses.
	Certificates []Certificate `json:"certificates"`
	Policy       string        `json:"policy"` // name of the security policy
}

// Certificate is a server's certificate with its key, as PEM.
type Certificate struct {
	ARN   string `json:"arn"`
	Chain string `json:"chain"` // the certificate first, then those of its issuers
	Key   Secret `json:"key"`
}

// Secret is a text that shows only as JSON, between daemon and process.
type Secret string

const hidden = "(secret)"

// String and GoString keep the text out of messages.
func (Secret) String() string { return hidden }

// GoString does so for %#v.
func (Secret) GoString() string { return hidden }

// LogValue keeps the text out of logs.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// secure is TLS made ready. Connections that stand keep theirs when it changes.
type secure struct {
	settings TLS
	noHTTP2  bool
	config   *tls.Config
}

// newSecure reads the certificates. Those that it cannot read are told in the
// error; it does with the others what can be done.
func newSecure(settings TLS, noHTTP2 bool, now func() time.Time) (*secure, error) {
	policy, ok := securitypolicy.Find(settings.Policy)
	var problems []error
	if !ok {
		policy, _ = securitypolicy.Find(securitypolicy.Default)
		problems = append(
			problems,
			fmt.Errorf("there is no security policy %q, %s is in force", settings.Policy, policy.Name),
		)
	}
	certificates, err := readCertificates(settings.Certificates)
	s := &secure{settings: settings, noHTTP2: noHTTP2, config: &tls.Config{
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return certificates.present(hello, now())
		},
	}}
	if noHTTP2 {
		s.config.NextProtos = s.config.NextProtos[1:]
	}
	policy.ApplyTo(s.config)
	return s, errors.Join(append(problems, err)...)
}

func (s *secure) same(settings *TLS, noHTTP2 bool) bool {
	return s.noHTTP2 == noHTTP2 && reflect.DeepEqual(s.settings, *settings)
}

// handshakeWithin bounds how long a client may take to agree on TLS. AWS tells no
// such time.
const handshakeWithin = 10 * time.Second

// handshake agrees with the client; false: that failed, and the connection ends.
func (c *connection) handshake(conn *tls.Conn) bool {
	_ = conn.SetDeadline(time.Now().Add(handshakeWithin))
	err := conn.HandshakeContext(context.WithValue(context.Background(), handshakeOf{}, c))
	if err != nil {
		var odd tls.RecordHeaderError
		if errors.As(err, &odd) && odd.Conn != nil && likeHTTP(odd.RecordHeader) {
			c.refusePlain(odd.Conn)
		}
		c.port.node.counts.lanes[0].sums[tlsErrors].Add(1)
		c.port.node.log.Debug("TLS handshake", "port", c.port.number, "client", c.from, "error", err)
		return false
	}
	state := conn.ConnectionState()
	c.tls = &state
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fate != none {
		return false
	}
	_ = conn.SetDeadline(time.Time{})
	return true
}

// likeHTTP tells that what should be the head of a TLS record begins a request.
func likeHTTP(head [5]byte) bool {
	for _, b := range head[:3] {
		if b < 'A' || b > 'Z' {
			return false
		}
	}
	return true
}

const plainText = "The plain HTTP request was sent to HTTPS port"

// refusePlain answers a request that came without TLS, as AWS does.
func (c *connection) refusePlain(conn net.Conn) {
	c.mu.Lock()
	c.conn, c.raw = conn, nil
	c.mu.Unlock()
	x := newExchange()
	x.takeUp()
	x.req.Framing, x.req.Method = http1.NoBody, nil
	c.own(
		x,
		400,
		"",
		"text/html",
		"<html>\r\n<head><title>400 "+plainText+"</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n<center>"+plainText+"</center>\r\n</body>\r\n</html>\r\n",
		false,
	)
	x.putDown()
	x.release()
}

// appendSecurity writes what the target is told of the client's TLS, in OpenSSL's
// words (Application Load Balancer guide, Load balancer attributes:
// routing.http.x_amzn_tls_version_and_cipher_suite.enabled).
func (c *connection) appendSecurity(b []byte, p *plan) []byte {
	if p.tlsVersion == "" || c.tls == nil {
		return b
	}
	b = append(append(append(b, p.tlsVersion...), ": "...), securitypolicy.VersionName(c.tls.Version)...)
	b = append(append(append(b, "\r\n"...), p.tlsCipher...), ": "...)
	return append(append(b, securitypolicy.CipherName(c.tls.CipherSuite)...), "\r\n"...)
}

// tellsTLS tells the fields that only the load balancer may write.
func (p *plan) tellsTLS(name []byte) bool {
	return http1.EqualFold(name, p.tlsVersion) || http1.EqualFold(name, p.tlsCipher)
}
