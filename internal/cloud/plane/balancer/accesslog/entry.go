//go:build linux

package accesslog

import (
	"cmp"
	"crypto/tls"
	"encoding/hex"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
	"aloft.dev/aloft/internal/cloud/securitypolicy"
)

// Entry is one request. Its zero values mean "there was none". Times are durations
// since Config.Start.
type Entry struct {
	Client       netip.AddrPort
	Port         uint16   // of the listener
	ConnectionID [16]byte // the client's connection, in hexadecimal after "TID_"
	HTTP2        bool
	GRPC         bool                 // over HTTP/2
	TLS          *tls.ConnectionState // nil: plain HTTP
	Certificate  string               // ARN of the certificate that the client got

	Request *http1.Request // its Path is empty if the request could not be parsed
	TraceID []byte         // X-Amzn-Trace-Id as the target got it, or would have

	Action      string // what the rule did: "forward", "redirect" or "fixed-response"
	Priority    int    // of the rule; 0: the default rule
	RedirectURL string
	Target      netip.AddrPort
	TargetGroup string // ARN

	Status, TargetStatus int
	Received, Sent       int64 // bytes from and to the client

	Begun     time.Duration // the request's head was complete
	Connected time.Duration // to the target
	Answered  time.Duration // the target's response began
	Ended     time.Duration
}

// timeFormat is how access logs write times, in UTC.
const timeFormat = "2006-01-02T15:04:05.000000Z"

// maxUserAgent is where AWS truncates the User-Agent, in bytes.
const maxUserAgent = 8 << 10

// AppendEntry appends the entry's line (Application Load Balancer guide, Access
// logs: Access log entries, up to request_transform_status). Fields of features that
// the load balancer lacks, such as authentication, are hyphens.
func (w *Writer) AppendEntry(b []byte, e *Entry) []byte {
	b = append(b, e.kind()...)
	b = w.appendTime(append(b, ' '), e.Ended)
	b = append(append(append(b, ' '), w.lb.id...), ' ')
	b = append(appendAddress(b, e.Client), ' ')
	b = e.appendTarget(b)
	b = appendSeconds(b, e.Begun, e.Connected)
	b = appendSeconds(b, e.Connected, e.Answered)
	b = appendSeconds(b, e.Answered, e.Ended)
	b = appendCode(append(b, ' '), e.Status)
	b = appendCode(append(b, ' '), e.TargetStatus)
	b = strconv.AppendInt(append(b, ' '), e.Received, 10)
	b = strconv.AppendInt(append(b, ' '), e.Sent, 10)
	b = w.appendRequest(append(b, ` "`...), e)
	b = e.appendUserAgent(append(b, `" "`...))
	b = e.appendTLS(append(b, `" `...))
	b = append(append(b, ' '), cmp.Or(e.TargetGroup, "-")...)
	b = e.appendTraceID(append(b, ` "`...))
	b = append(e.appendCertificate(append(b, `" "`...)), ' ')
	b = w.appendAction(b, e)
	b = append(b, ` "-" "`...) // error_reason is about authentication and Lambda functions
	b = e.appendTarget(b)
	b = appendCode(append(b, `" "`...), e.TargetStatus)
	b = e.appendClass(append(b, '"'))
	b = hex.AppendEncode(append(b, " TID_"...), e.ConnectionID[:])
	return append(b, ` "-" "-" "-"`+"\n"...)
}

func (e *Entry) scheme() string {
	if e.TLS != nil {
		return "https"
	}
	return "http"
}

// kind returns the type of the request or connection.
func (e *Entry) kind() string {
	switch webSocket := e.Status == http.StatusSwitchingProtocols; {
	case webSocket && e.TLS != nil:
		return "wss"
	case webSocket:
		return "ws"
	case e.GRPC:
		return "grpcs"
	case e.HTTP2:
		return "h2"
	}
	return e.scheme()
}

func (w *Writer) appendTime(b []byte, at time.Duration) []byte {
	return time.Unix(0, w.start+int64(at)).UTC().AppendFormat(b, timeFormat)
}

func (e *Entry) appendTarget(b []byte) []byte {
	if !e.Target.IsValid() {
		return append(b, '-')
	}
	return appendAddress(b, e.Target)
}

// appendAddress appends an address and its port. AWS writes IPv6 addresses without brackets
// (allinurl/goaccess, issue 2557).
func appendAddress(b []byte, at netip.AddrPort) []byte {
	b = append(at.Addr().AppendTo(b), ':')
	return strconv.AppendUint(b, uint64(at.Port()), 10)
}

// appendSeconds appends the time between two events, or -1 if one did not happen.
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

// appendRequest appends the request line with the whole URL. For a request that
// could not be parsed, the URL is that of the listener.
func (w *Writer) appendRequest(b []byte, e *Entry) []byte {
	req := e.Request
	parsed := len(req.Path) > 0
	host, version := req.Host, " HTTP/1.0"
	switch {
	case !parsed:
		host, version = nil, "- -"
	case e.HTTP2:
		version = " HTTP/2.0"
	case req.Minor > 0:
		version = " HTTP/1.1"
	}
	if parsed {
		b = append(b, req.Method...)
	} else {
		b = append(b, '-')
	}
	b = append(append(append(b, ' '), e.scheme()...), "://"...)
	if len(host) == 0 {
		host = w.dnsName
	}
	name, port := splitHost(host)
	b = append(appendEscaped(b, name), ':')
	if port == nil {
		b = strconv.AppendInt(b, int64(e.Port), 10)
	} else {
		b = appendEscaped(b, port)
	}
	if parsed {
		b = appendEscaped(b, req.Path)
		if req.Query != nil {
			b = appendEscaped(append(b, '?'), req.Query)
		}
	}
	return append(b, version...)
}

// splitHost splits a host from its port, which is nil if there is none.
func splitHost(host []byte) (name, port []byte) {
	for i := len(host) - 1; i >= 0 && host[i] != ']'; i-- {
		if host[i] == ':' {
			return host[:i], host[i+1:]
		}
	}
	return host, nil
}

func (e *Entry) appendUserAgent(b []byte) []byte {
	agent, _ := e.Request.Value("user-agent")
	if len(agent) == 0 {
		return append(b, '-')
	}
	return appendEscaped(b, agent[:min(len(agent), maxUserAgent)])
}

// appendEscaped appends text so that it cannot end its field.
func appendEscaped[T string | []byte](b []byte, text T) []byte {
	const digits = "0123456789abcdef"
	for i := range len(text) {
		c := text[i]
		if c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			b = append(b, '\\', 'x', digits[c>>4], digits[c&15])
			continue
		}
		b = append(b, c)
	}
	return b
}

// appendTLS appends the cipher and the version of the client's TLS.
func (e *Entry) appendTLS(b []byte) []byte {
	if e.TLS == nil {
		return append(b, "- -"...)
	}
	b = append(append(b, securitypolicy.CipherName(e.TLS.CipherSuite)...), ' ')
	return append(b, securitypolicy.VersionName(e.TLS.Version)...)
}

func (e *Entry) appendTraceID(b []byte) []byte {
	if len(e.TraceID) == 0 {
		return append(b, '-')
	}
	return appendEscaped(b, e.TraceID)
}

// appendCertificate appends the server name in the ClientHello and the ARN of the
// certificate that the client got.
func (e *Entry) appendCertificate(b []byte) []byte {
	name, arn := "", e.Certificate
	if e.TLS != nil {
		name = e.TLS.ServerName
		if e.TLS.DidResume {
			arn = "session-reused"
		}
	}
	b = append(appendEscaped(b, cmp.Or(name, "-")), `" "`...)
	return append(append(b, cmp.Or(arn, "-")...), '"')
}

// appendAction appends the priority of the rule that matched, the time of the
// request, the action, and the URL of a redirect.
func (w *Writer) appendAction(b []byte, e *Entry) []byte {
	if e.Action == "" {
		b = append(b, '-')
	} else {
		b = strconv.AppendInt(b, int64(e.Priority), 10)
	}
	b = w.appendTime(append(b, ' '), e.Begun)
	b = append(append(b, ` "`...), cmp.Or(e.Action, "-")...)
	return append(appendEscaped(append(b, `" "`...), cmp.Or(e.RedirectURL, "-")), '"')
}

// appendClass appends how far the request complies with the standard.
func (e *Entry) appendClass(b []byte) []byte {
	if e.Request.Class == http1.Compliant {
		return append(b, ` "-" "-"`...)
	}
	b = append(append(append(b, ` "`...), e.Request.Class.String()...), `" "`...)
	return append(append(b, cmp.Or(e.Request.Reason, "-")...), '"')
}
