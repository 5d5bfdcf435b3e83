//go:build linux

package engine

import (
	"bytes"
	"net/netip"
	"strconv"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
	"aloft.dev/aloft/internal/cloud/securitypolicy"
)

// appendRequest appends the head that the target gets: the client's, with what the load
// balancer adds (Application Load Balancer guide, HTTP headers and Application Load
// Balancers).
func (c *connection) appendRequest(b []byte, x *exchange, l *listener) []byte {
	lb := l.lb
	r := &x.req
	b = append(b, r.Method...)
	b = append(b, ' ')
	b = appendTarget(b, r)
	b = append(b, " HTTP/1.1\r\n"...)
	b = c.appendForwarded(b, r, lb)
	b = append(b, "Host: "...)
	b = c.appendHost(b, r.Host, lb)
	b = append(b, "\r\nX-Amzn-Trace-Id: "...)
	trace := len(b)
	b = appendTrace(b, r, c.port.node.engine.timeAt(x.record.begun))
	if lb.LogDir != "" {
		x.trace = append(x.trace[:0], b[trace:]...)
	}
	b = append(b, "\r\n"...)
	b = c.appendTLSHeaders(b, l)
	for i := range r.Fields {
		f := &r.Fields[i]
		switch {
		case f.Kind.HopByHop(), lb.DropInvalid && !validName(f.Name):
		case l.tlsVersionHeader != "" && l.isTLSHeader(f.Name): // only the load balancer may send it
		case f.Kind == http1.Plain, f.Kind == http1.Expect, f.Kind == http1.SetCookie,
			f.Kind == http1.ForwardedFor && lb.ForwardedFor == "preserve":
			b = appendField(b, f)
		}
	}
	switch {
	case r.Framing == http1.Chunked:
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	case r.HasContentLength():
		b = appendNumber(b, "Content-Length: ", r.Length)
	}
	if r.Upgrade {
		b = append(b, "Connection: Upgrade\r\nUpgrade: websocket\r\n"...)
	}
	return append(b, "\r\n"...)
}

// appendTarget appends path and query.
func appendTarget(b []byte, r *http1.Request) []byte {
	from := len(b)
	b = append(b, r.Path...)
	if r.Query != nil {
		b = append(append(b, '?'), r.Query...)
	}
	if r.Class == http1.Compliant { // and so without spaces
		return b
	}
	return appendEncoded(b[:from], string(b[from:]))
}

// appendEncoded appends text with its spaces and control characters percent-encoded. Some
// servers take them for the end of the request's target.
func appendEncoded(b []byte, text string) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(text) {
		c := text[i]
		if c <= ' ' || c == 0x7f {
			b = append(b, '%', digits[c>>4], digits[c&15])
			continue
		}
		b = append(b, c)
	}
	return b
}

func appendField(b []byte, f *http1.Field) []byte {
	b = append(append(b, f.Name...), ": "...)
	return append(append(b, f.Value...), "\r\n"...)
}

func appendNumber(b []byte, name string, n int64) []byte {
	return append(strconv.AppendInt(append(b, name...), n, 10), "\r\n"...)
}

// appendForwarded appends the X-Forwarded headers.
func (c *connection) appendForwarded(b []byte, r *http1.Request, lb *balancer.LoadBalancer) []byte {
	if lb.ForwardedFor != "preserve" && lb.ForwardedFor != "remove" {
		b = append(b, "X-Forwarded-For: "...)
		for i := range r.Fields {
			if f := &r.Fields[i]; f.Kind == http1.ForwardedFor && len(f.Value) > 0 {
				b = append(append(b, f.Value...), ", "...)
			}
		}
		if lb.ForwardedPort {
			b = c.client.AppendTo(b)
		} else {
			b = c.client.Addr().AppendTo(b)
		}
		b = append(b, "\r\n"...)
	}
	b = append(b, "X-Forwarded-Proto: "...)
	b = append(append(b, c.scheme()...), "\r\n"...)
	return appendNumber(b, "X-Forwarded-Port: ", int64(c.port.number))
}

// appendHost appends the value of the Host header. Unless the load balancer preserves
// the header, it includes the port exactly if that is not the default port (Application
// Load Balancer guide, Load balancer attributes: Host header preservation). A client of
// HTTP/1.0 need not name a host; the target gets the node's address then.
func (c *connection) appendHost(b, host []byte, lb *balancer.LoadBalancer) []byte {
	if len(host) == 0 {
		b = appendLiteral(b, c.port.socket.Addr().Addr())
		host = nil
	}
	if lb.PreserveHost {
		return append(b, host...)
	}
	name, hasPort := host, false
	if i := bytes.LastIndexByte(host, ':'); i >= 0 && bytes.IndexByte(host[i:], ']') < 0 {
		name, hasPort = host[:i], true
	}
	n := c.port.number
	switch {
	case n == 80 || n == 443:
		if hasPort && string(host[len(name)+1:]) == strconv.Itoa(int(n)) {
			host = name
		}
		return append(b, host...)
	case hasPort:
		return append(b, host...)
	}
	b = append(append(b, name...), ':')
	return strconv.AppendInt(b, int64(n), 10)
}

// appendLiteral appends an address as it stands for a host (RFC 3986, section 3.2.2).
func appendLiteral(b []byte, address netip.Addr) []byte {
	if address.Is4() {
		return address.AppendTo(b)
	}
	return append(address.AppendTo(append(b, '[')), ']')
}

// appendTLSHeaders appends the headers with the client's TLS version and cipher, in
// OpenSSL's words (Application Load Balancer guide, Load balancer attributes:
// routing.http.x_amzn_tls_version_and_cipher_suite.enabled).
func (c *connection) appendTLSHeaders(b []byte, l *listener) []byte {
	if l.tlsVersionHeader == "" || c.tls == nil {
		return b
	}
	b = append(append(append(b, l.tlsVersionHeader...), ": "...), securitypolicy.VersionName(c.tls.Version)...)
	b = append(append(append(b, "\r\n"...), l.tlsCipherHeader...), ": "...)
	return append(append(b, securitypolicy.CipherName(c.tls.CipherSuite)...), "\r\n"...)
}

// validName reports whether a header name is valid for Application Load Balancers
// (guide, Load balancer attributes: routing.http.drop_invalid_header_fields.enabled).
func validName(name []byte) bool {
	for _, c := range name {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && c != '-' {
			return false
		}
	}
	return true
}

// hasInvalidName reports whether a header field has an invalid name.
func hasInvalidName(r *http1.Request) bool {
	for i := range r.Fields {
		if f := &r.Fields[i]; !f.Kind.HopByHop() && !validName(f.Name) {
			return true
		}
	}
	return false
}

// forwarders returns the number of addresses in X-Forwarded-For.
func forwarders(r *http1.Request) int {
	n := 0
	for i := range r.Fields {
		if f := &r.Fields[i]; f.Kind == http1.ForwardedFor && len(f.Value) > 0 {
			n += 1 + bytes.Count(f.Value, []byte(","))
		}
	}
	return n
}

// isGRPC reports whether the request is gRPC (gRPC over HTTP/2, Requests).
func isGRPC(r *http1.Request) bool {
	kind, _ := r.Value("content-type")
	return bytes.HasPrefix(kind, []byte("application/grpc"))
}
