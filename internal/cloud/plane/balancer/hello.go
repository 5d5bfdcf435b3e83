package balancer

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"strings"
	"time"
)

// recordHandshake is the first byte of a TLS connection (RFC 8446, section 5.1).
const recordHandshake = 22

// unrecognizedName is the fatal alert of that name, as a whole record (RFC 6066,
// section 3).
var unrecognizedName = []byte{21, 3, 1, 0, 2, 2, 112}

// peekName reads what tells where a connection leads: the name in a ClientHello,
// whose secrets stay between client and node, or the Host of a first request.
// read is all that was taken from the connection.
func peekName(conn net.Conn) (name string, secure bool, read []byte, err error) {
	if err := conn.SetReadDeadline(time.Now().Add(peekWithin)); err != nil {
		return "", false, nil, err
	}
	var taken bytes.Buffer
	in := io.TeeReader(io.LimitReader(conn, peekBytes), &taken)
	var first [1]byte
	if _, err := io.ReadFull(in, first[:]); err != nil {
		return "", false, nil, err
	}
	in = io.MultiReader(bytes.NewReader(first[:]), in)
	if secure = first[0] == recordHandshake; secure {
		name, err = helloName(in)
	} else {
		name, err = requestHost(in)
	}
	if err != nil {
		return "", secure, taken.Bytes(), err
	}
	return strings.TrimSuffix(strings.ToLower(name), "."), secure, taken.Bytes(), conn.SetReadDeadline(time.Time{})
}

var errHeard = errors.New("the ClientHello has been read")

// helloName is the server's name in a ClientHello; empty: the client tells none.
// The standard library reads it as the beginning of a handshake that goes no
// further.
func helloName(in io.Reader) (name string, err error) {
	heard := false
	_ = tls.Server(listening{in}, &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		name, heard = hello.ServerName, true
		return nil, errHeard
	}}).
		Handshake()
		// fails by design
	if !heard {
		return "", errors.New("the TLS handshake does not begin with a ClientHello")
	}
	return name, nil
}

// listening is a connection that hears and says nothing.
type listening struct{ io.Reader }

func (listening) Write(p []byte) (int, error)      { return len(p), nil }
func (listening) Close() error                     { return nil }
func (listening) LocalAddr() net.Addr              { return nil }
func (listening) RemoteAddr() net.Addr             { return nil }
func (listening) SetDeadline(time.Time) error      { return nil }
func (listening) SetReadDeadline(time.Time) error  { return nil }
func (listening) SetWriteDeadline(time.Time) error { return nil }

// certified are the names of a listener's certificates, which may be those of its
// users' own domains.
func certified(l *Listener) []*x509.Certificate {
	if l.TLS == nil {
		return nil
	}
	var out []*x509.Certificate
	for _, c := range l.TLS.Certificates {
		block, _ := pem.Decode([]byte(c.Chain))
		if block == nil {
			continue
		}
		if leaf, err := x509.ParseCertificate(block.Bytes); err == nil {
			out = append(out, leaf)
		}
	}
	return out
}

// secureRoute finds the load balancer that a TLS client asks for: by the load
// balancer's own name or by that of a certificate, for which a user's own domain
// would be an alias of the load balancer's name; spelled out rather than by a
// wildcard. A client that tells no name is led to the one load balancer that
// there is.
func secureRoute(known map[string]*route, name string) *route {
	if r := known[name]; r != nil {
		return r
	}
	var only, exact, wild *route
	several := false
	for _, host := range sortedNames(known) {
		r := known[host]
		if len(r.certificates) == 0 {
			continue
		}
		several, only = only != nil, r
		for _, c := range r.certificates {
			spelled, covered := names(c, name)
			if spelled && exact == nil {
				exact = r
			}
			if covered && wild == nil {
				wild = r
			}
		}
	}
	switch {
	case exact != nil:
		return exact
	case wild != nil:
		return wild
	case name == "" && !several:
		return only
	}
	return nil
}
