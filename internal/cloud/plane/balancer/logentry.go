package balancer

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
	"aloft.dev/aloft/internal/cloud/securitypolicy"
)

// logTime is how access logs write times, in UTC.
const logTime = "2006-01-02T15:04:05.000000Z"

// appendEntry writes a line of the access log (Application Load Balancer guide,
// Access logs: Access log entries, up to request_transform_status). What the
// load balancer does not have, such as authentication, is a hyphen.
func (j *journal) appendEntry(b []byte, c *connection, x *exchange) []byte {
	r := &x.record
	b = append(b, entryType(r, c)...)
	b = j.appendTime(append(b, ' '), r.ended)
	b = append(append(append(b, ' '), j.of[2]...), ' ')
	b = c.from.AppendTo(b)
	b = append(b, ' ')
	b = appendAddress(b, r)
	b = appendSeconds(b, r.begun, r.connected)
	b = appendSeconds(b, r.connected, r.answered)
	b = appendSeconds(b, r.answered, r.ended)
	b = appendCode(append(b, ' '), r.status)
	b = appendCode(append(b, ' '), r.targetStatus)
	b = strconv.AppendInt(append(b, ' '), r.received, 10)
	b = strconv.AppendInt(append(b, ' '), r.delivered, 10)
	b = append(b, ` "`...)
	b = j.appendRequest(b, c, x)
	b = append(b, `" "`...)
	agent, _ := x.req.Value("user-agent")
	b = appendText(b, agent)
	b = append(b, `" `...)
	b = c.appendSecured(b)
	b = append(b, ' ')
	if r.target != nil {
		b = append(b, r.target.counts.arn...)
	} else {
		b = append(b, '-')
	}
	b = append(b, ` "`...)
	b = x.appendTraced(b)
	b = append(b, `" "`...)
	b = append(c.appendPresented(b), ' ')
	b = appendAction(b, j, c, x)
	b = append(b, ` "-" "`...) // error_reason tells of authentication and Lambda functions
	b = appendAddress(b, r)
	b = append(b, `" "`...)
	b = appendCode(b, r.targetStatus)
	b = append(b, '"')
	b = appendClass(b, &x.req)
	b = append(b, " TID_"...)
	id := c.traceID()
	b = hex.AppendEncode(b, id[:])
	return append(b, ` "-" "-" "-"`+"\n"...)
}

// entryType is the type of the request or connection.
func entryType(r *record, c *connection) string {
	switch tunnel, secure := r.status == http.StatusSwitchingProtocols, c.tls != nil; {
	case tunnel && secure:
		return "wss"
	case tunnel:
		return "ws"
	case c.stream:
		return "h2"
	}
	return c.scheme()
}

func (j *journal) appendTime(b []byte, at time.Duration) []byte {
	return time.Unix(0, j.started()+int64(at)).UTC().AppendFormat(b, logTime)
}

// appendAddress writes the target's address.
func appendAddress(b []byte, r *record) []byte {
	if r.target == nil {
		return append(b, '-')
	}
	return r.target.target.addrPort().AppendTo(b)
}

// appendSeconds writes the time between two events, or -1 when one of them never
// came.
func appendSeconds(b []byte, from, to time.Duration) []byte {
	if from == 0 || to == 0 {
		return append(b, " -1"...)
	}
	return strconv.AppendFloat(append(b, ' '), max(to-from, 0).Seconds(), 'f', 3, 64)
}

func appendCode(b []byte, code int) []byte {
	if code == 0 {
		return append(b, '-')
	}
	return strconv.AppendInt(b, int64(code), 10)
}

// appendRequest writes the request line with the whole URL. Of a request that
// could not be read, it writes where it came.
func (j *journal) appendRequest(b []byte, c *connection, x *exchange) []byte {
	req := &x.req
	host, version := req.Host, " HTTP/1.0"
	read := len(req.Path) > 0
	if read {
		b = append(b, req.Method...)
	} else {
		b, host, version = append(b, '-'), nil, "- -"
	}
	switch {
	case !read:
	case c.stream:
		version = " HTTP/2.0"
	case req.Minor > 0:
		version = " HTTP/1.1"
	}
	b = append(append(append(b, ' '), c.scheme()...), "://"...)
	if len(host) == 0 {
		host = append(x.out[:0], j.host...)
	}
	name, port := splitHost(host)
	b = append(appendEscaped(b, name), ':')
	if port == nil {
		b = strconv.AppendInt(b, int64(c.port.number), 10)
	} else {
		b = appendEscaped(b, port)
	}
	if read {
		b = appendEscaped(b, req.Path)
		if req.Query != nil {
			b = appendEscaped(append(b, '?'), req.Query)
		}
	}
	return append(b, version...)
}

// splitHost divides a host from its port; nil: it has none.
func splitHost(host []byte) (name, port []byte) {
	for i := len(host) - 1; i >= 0 && host[i] != ']'; i-- {
		if host[i] == ':' {
			return host[:i], host[i+1:]
		}
	}
	return host, nil
}

// maxAgent is where AWS cuts the client's name off, in bytes.
const maxAgent = 8 << 10

func appendText(b, text []byte) []byte {
	if len(text) == 0 {
		return append(b, '-')
	}
	return appendEscaped(b, text[:min(len(text), maxAgent)])
}

// appendEscaped writes a text so that it cannot end its field.
func appendEscaped(b, text []byte) []byte {
	const digits = "0123456789abcdef"
	for _, c := range text {
		if c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			b = append(b, '\\', 'x', digits[c>>4], digits[c&15])
			continue
		}
		b = append(b, c)
	}
	return b
}

// appendSecured writes cipher and version of the client's TLS.
func (c *connection) appendSecured(b []byte) []byte {
	if c.tls == nil {
		return append(b, "- -"...)
	}
	b = append(append(b, securitypolicy.CipherName(c.tls.CipherSuite)...), ' ')
	return append(b, securitypolicy.VersionName(c.tls.Version)...)
}

// appendPresented writes the name that the client asked for in TLS, and which
// certificate it was shown.
func (c *connection) appendPresented(b []byte) []byte {
	name, shown := "", c.certificate
	if c.tls != nil {
		name = c.tls.ServerName
		if c.tls.DidResume {
			shown = "session-reused"
		}
	}
	b = append(append(b, cmp.Or(name, "-")...), `" "`...)
	return append(append(b, cmp.Or(shown, "-")...), '"')
}

// appendTraced writes what the target was told in X-Amzn-Trace-Id, or would have
// been told.
func (x *exchange) appendTraced(b []byte) []byte {
	if x.record.connected != 0 && len(x.trace) > 0 {
		return appendEscaped(b, x.trace)
	}
	if len(x.req.Path) == 0 {
		return append(b, '-')
	}
	x.trace = appendTrace(x.trace[:0], &x.req, time.Now())
	return appendEscaped(b, x.trace)
}

// appendAction writes the priority of the rule that matched, when the request
// came, what was done with it and where it was sent instead.
func appendAction(b []byte, j *journal, c *connection, x *exchange) []byte {
	a := x.record.action
	if a == nil {
		b = j.appendTime(append(b, "- "...), x.record.begun)
		return append(b, ` "-" "-"`...)
	}
	b = strconv.AppendInt(b, int64(a.priority), 10)
	b = j.appendTime(append(b, ' '), x.record.begun)
	switch {
	case a.fixed != nil:
		return append(b, ` "fixed-response" "-"`...)
	case a.redirect != nil:
		b = append(b, ` "redirect" "`...)
		x.trace = append(x.trace[:0], a.redirect.location(&x.req, c)...)
		return append(appendEscaped(b, x.trace), '"')
	}
	return append(b, ` "forward" "-"`...)
}

// appendClass writes how far the request kept to the standard.
func appendClass(b []byte, r *http1.Request) []byte {
	if r.Class == http1.Compliant {
		return append(b, ` "-" "-"`...)
	}
	b = append(append(append(b, ` "`...), r.Class.String()...), `" "`...)
	reason := r.Reason
	if reason == "" {
		reason = "-"
	}
	return append(append(b, reason...), '"')
}

// traceID is the connection's identity in the log.
func (c *connection) traceID() [16]byte {
	for c.id[0] == 0 {
		c.id = [2]uint64{rand.Uint64(), rand.Uint64()}
	}
	var out [16]byte
	binary.BigEndian.PutUint64(out[:8], c.id[0])
	binary.BigEndian.PutUint64(out[8:], c.id[1])
	return out
}
