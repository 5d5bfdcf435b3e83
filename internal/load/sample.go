package load

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Kind is what became of a request.
type Kind string

// The kinds. All but OK are failures.
const (
	OK             Kind = "ok"  // an answer of 200 to 399, complete
	BadGateway     Kind = "502" // answers of a balancer whose target failed, or of a target
	Unavailable    Kind = "503"
	GatewayTimeout Kind = "504"
	ClientError    Kind = "4xx"     // another answer that says so
	ServerError    Kind = "5xx"     // another answer that says so
	Refused        Kind = "refused" // nobody listens
	Timeout        Kind = "timeout" // no complete answer within Config.Timeout
	Reset          Kind = "reset"   // the connection ended before the answer did
	DNS            Kind = "dns"     // the name was not found
	Unsent         Kind = "unsent"  // too many were under way: the generator is at its limit and asked nobody
	Other          Kind = "other"
)

// Kinds are all kinds of failures, in the order in which they are told.
var Kinds = []Kind{
	BadGateway,
	Unavailable,
	GatewayTimeout,
	ServerError,
	ClientError,
	Timeout,
	Refused,
	Reset,
	DNS,
	Unsent,
	Other,
}

// Sample is one request.
type Sample struct {
	At      time.Duration // when it was scheduled, since Recording.Started
	Latency time.Duration // from then to the last byte of the answer, or to the failure
	Kind    Kind
	Status  int    // of the answer; 0: there was none
	Target  string // who answered, as Config.Target says
}

// Recording is what became of the requests.
type Recording struct {
	Started time.Time
	Samples []Sample // in the order of their scheduled instants
	// Lag is by how much the latest request was sent after its scheduled
	// instant: what of the latencies is the generator's own.
	Lag time.Duration
}

// answered is the kind of a request that was answered completely.
func answered(status int) Kind {
	switch {
	case status == 502 || status == 503 || status == 504:
		return Kind(strconv.Itoa(status))
	case status >= 500:
		return ServerError
	case status >= 400:
		return ClientError
	}
	return OK
}

// lost is the kind of a request that was not answered, or not completely.
func lost(err error) Kind {
	var name *net.DNSError
	var late net.Error
	switch {
	case errors.As(err, &name):
		return DNS
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &late) && late.Timeout():
		return Timeout
	case errors.Is(err, syscall.ECONNREFUSED):
		return Refused
	case errors.Is(err, syscall.ECONNRESET),
		errors.Is(err, syscall.EPIPE),
		errors.Is(err, io.EOF),
		errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, net.ErrClosed),
		closedIdle(err):
		return Reset
	}
	return Other
}

// closedIdle tells an error that net/http does not export: the server closed the
// connection while the request was on its way.
func closedIdle(err error) bool {
	return strings.HasSuffix(err.Error(), "http: server closed idle connection")
}
