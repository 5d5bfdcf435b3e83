//go:build linux

package engine

import (
	"cmp"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
	"aloft.dev/aloft/internal/cloud/plane/balancer/route"
)

// listener is a configured listener as a node serves it. A change of the
// configuration replaces it.
type listener struct {
	lb    *balancer.LoadBalancer
	conf  *balancer.Listener
	rules route.Rules
	tls   *serverTLS // nil: clients use plain HTTP

	// Names of the headers with the client's TLS version and cipher; empty: targets do
	// not get them.
	tlsVersionHeader, tlsCipherHeader string
}

func newListener(
	lb *balancer.LoadBalancer, conf *balancer.Listener, pool func(arn string) *route.Pool, tls *serverTLS,
) *listener {
	l := &listener{lb: lb, conf: conf, rules: route.Compile(lb, conf, pool), tls: tls}
	if lb.TLSHeaders && conf.TLS != nil {
		l.tlsVersionHeader = cmp.Or(conf.TLSVersionHeader, "X-Amzn-Tls-Version")
		l.tlsCipherHeader = cmp.Or(conf.TLSCipherHeader, "X-Amzn-Tls-Cipher-Suite")
	}
	return l
}

// pastKeepAlive reports whether a connection of that age has reached the load
// balancer's client keep-alive duration.
func (l *listener) pastKeepAlive(age time.Duration) bool {
	return l.lb.KeepAlive > 0 && age >= l.lb.KeepAlive
}

// isTLSHeader reports whether the header is one with the client's TLS version or cipher.
func (l *listener) isTLSHeader(name []byte) bool {
	return http1.EqualFold(name, l.tlsVersionHeader) || http1.EqualFold(name, l.tlsCipherHeader)
}
