package balancer

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
)

// appendRequest writes the head that the target gets: the client's, with what
// the load balancer adds (Application Load Balancer guide, HTTP headers and
// Application Load Balancers).
func (c *connection) appendRequest(b []byte, x *exchange, p *plan) []byte {
	lb := p.lb
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
	b = appendTrace(b, r, c.port.node.owner.at(x.record.begun))
	if lb.LogDir != "" {
		x.trace = append(x.trace[:0], b[trace:]...)
	}
	b = append(b, "\r\n"...)
	b = c.appendSecurity(b, p)
	for i := range r.Fields {
		f := &r.Fields[i]
		switch {
		case f.Kind.HopByHop(), lb.DropInvalid && !plainName(f.Name), p.tlsVersion != "" && p.tellsTLS(f.Name):
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
		to, _ := r.Value("upgrade")
		b = append(b, "Connection: Upgrade\r\nUpgrade: "...)
		b = append(append(b, to...), "\r\n"...)
	}
	return append(b, "\r\n"...)
}

func appendTarget(b []byte, r *http1.Request) []byte {
	if len(r.Path) == 0 {
		b = append(b, '/')
	}
	b = append(b, r.Path...)
	if r.Query != nil {
		b = append(append(b, '?'), r.Query...)
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

// appendForwarded writes who asked, how and where.
func (c *connection) appendForwarded(b []byte, r *http1.Request, lb *LoadBalancer) []byte {
	if lb.ForwardedFor != "preserve" && lb.ForwardedFor != "remove" {
		b = append(b, "X-Forwarded-For: "...)
		for i := range r.Fields {
			if f := &r.Fields[i]; f.Kind == http1.ForwardedFor && len(f.Value) > 0 {
				b = append(append(b, f.Value...), ", "...)
			}
		}
		if lb.ForwardedPort {
			b = c.from.AppendTo(b)
		} else {
			b = c.from.Addr().AppendTo(b)
		}
		b = append(b, "\r\n"...)
	}
	b = append(b, "X-Forwarded-Proto: "...)
	b = append(append(b, c.scheme()...), "\r\n"...)
	return appendNumber(b, "X-Forwarded-Port: ", int64(c.port.number))
}

// appendHost writes the Host header: unless it is to be preserved, it names the
// port just where that is not the default one (Application Load Balancer guide,
// Load balancer attributes: Host header preservation). A client of HTTP/1.0 need
// not name a host; the target is told the node's address then.
func (c *connection) appendHost(b, host []byte, lb *LoadBalancer) []byte {
	if len(host) == 0 {
		b = c.port.node.at.Address.AppendTo(b)
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

// appendTrace writes the X-Amzn-Trace-Id that a target gets: the client's with
// Self added when it names a root, else one with a new root (Application Load
// Balancer guide, Request tracing).
func appendTrace(b []byte, r *http1.Request, now time.Time) []byte {
	given, _ := r.Value("x-amzn-trace-id")
	if !bytes.Contains(given, []byte("Root=")) {
		b = appendTraceID(append(b, "Root="...), now)
	} else {
		b = appendTraceID(append(b, "Self="...), now)
	}
	for len(given) > 0 {
		var field []byte
		field, given, _ = bytes.Cut(given, []byte(";"))
		if field = bytes.TrimSpace(field); len(field) > 0 && !bytes.HasPrefix(field, []byte("Self=")) {
			b = append(append(b, ';'), field...)
		}
	}
	return b
}

func appendTraceID(b []byte, now time.Time) []byte {
	var raw [16]byte
	seconds, high, low := uint32(now.Unix()), rand.Uint64(), rand.Uint32()
	for i := range 4 {
		raw[i] = byte(seconds >> (24 - 8*i))
		raw[12+i] = byte(low >> (8 * i))
	}
	for i := range 8 {
		raw[4+i] = byte(high >> (8 * i))
	}
	b = append(b, "1-"...)
	b = hex.AppendEncode(b, raw[:4])
	return hex.AppendEncode(append(b, '-'), raw[4:])
}

// plainName tells header names that are valid for an Application Load Balancer
// (guide, Load balancer attributes: routing.http.drop_invalid_header_fields.enabled).
func plainName(name []byte) bool {
	for _, c := range name {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && c != '-' {
			return false
		}
	}
	return true
}

// forwarders counts the addresses in X-Forwarded-For.
func forwarders(r *http1.Request) int {
	n := 0
	for i := range r.Fields {
		if f := &r.Fields[i]; f.Kind == http1.ForwardedFor && len(f.Value) > 0 {
			n += 1 + bytes.Count(f.Value, []byte(","))
		}
	}
	return n
}

// replaces tells whether the listener takes a target's field away.
func (l *Listener) replaces(name []byte) bool {
	if l.NoServer && http1.EqualFold(name, "server") {
		return true
	}
	for own := range l.Headers {
		if http1.EqualFold(name, own) {
			return true
		}
	}
	return false
}

// appendHeaders writes the fields that the listener sets.
func (l *Listener) appendHeaders(b []byte) []byte {
	for name, value := range l.Headers {
		b = append(append(append(append(b, name...), ": "...), value...), "\r\n"...)
	}
	return b
}

// appendResponse writes the head that the client gets: the target's, framed for
// this connection.
func appendResponse(b []byte, r *http1.Response, framing http1.Framing, keep bool, more []byte, l *Listener) []byte {
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(r.Status), 10)
	b = append(append(append(b, ' '), r.ReasonPhrase...), "\r\n"...)
	dated := false
	for i := range r.Fields {
		f := &r.Fields[i]
		if f.Kind.HopByHop() || f.Kind == http1.ContentLength || l != nil && l.replaces(f.Name) {
			continue
		}
		dated = dated || len(f.Name) == 4 && http1.EqualFold(f.Name, "date")
		b = appendField(b, f)
	}
	if r.Status < 200 {
		return append(b, "\r\n"...)
	}
	if !dated { // RFC 9110, section 6.6.1
		b = appendDate(b)
	}
	b = append(b, more...)
	if l != nil {
		b = l.appendHeaders(b)
	}
	switch {
	case framing == http1.Chunked:
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	case r.Status != http.StatusNoContent && r.HasContentLength() && framing != http1.UntilClose:
		b = appendNumber(b, "Content-Length: ", r.ContentLength())
	}
	return append(appendConnection(b, keep), "\r\n"...)
}

func appendConnection(b []byte, keep bool) []byte {
	if keep {
		return append(b, "Connection: keep-alive\r\n"...)
	}
	return append(b, "Connection: close\r\n"...)
}

func appendDate(b []byte) []byte {
	b = time.Now().UTC().AppendFormat(append(b, "Date: "...), http.TimeFormat)
	return append(b, "\r\n"...)
}
