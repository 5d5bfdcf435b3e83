package load

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"aloft.dev/aloft/internal/connerror"
)

// Kind is the outcome of a request.
type Kind string

// The kinds. All but OK are failures.
const (
	OK             Kind = "ok"  // a complete response with a status from 200 to 399
	BadGateway     Kind = "502" // from a load balancer whose target failed, or from a target
	Unavailable    Kind = "503"
	GatewayTimeout Kind = "504"
	ClientError    Kind = "4xx"     // any other status from 400 to 499
	ServerError    Kind = "5xx"     // any other status from 500
	Refused        Kind = "refused" // nothing listens
	Timeout        Kind = "timeout" // no complete response within Config.Timeout
	Reset          Kind = "reset"   // the connection ended before the response
	DNS            Kind = "dns"     // the name was not found
	Unsent         Kind = "unsent"  // not sent: too many requests were in flight
	Other          Kind = "other"
)

// Kinds lists all kinds of failures in the order of reports.
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
	At      time.Duration // when it was due, since Recording.Started
	Latency time.Duration // from then to the last byte of the response, or to the failure
	Kind    Kind
	Status  int    // of the response; 0: none
	Target  string // the name that Config.Target returned
}

// Recording is the outcome of a run.
type Recording struct {
	Started time.Time
	Samples []Sample // in the order in which they were due
	// Lag is the longest delay between the time at which a request was due and its
	// sending: the generator's own part of the latencies.
	Lag time.Duration
}

// answered returns the kind of a request with a complete response.
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

// lost returns the kind of a request without a complete response.
func lost(err error) Kind {
	var name *net.DNSError
	var late net.Error
	switch {
	case errors.As(err, &name):
		return DNS
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &late) && late.Timeout():
		return Timeout
	case connerror.Refused(err):
		return Refused
	case connerror.Broken(err),
		errors.Is(err, io.EOF),
		errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, net.ErrClosed),
		closedIdle(err):
		return Reset
	}
	return Other
}

// closedIdle reports whether err is an error that net/http does not export: the server
// closed the connection while the request was on its way.
func closedIdle(err error) bool {
	return strings.HasSuffix(err.Error(), "http: server closed idle connection")
}
