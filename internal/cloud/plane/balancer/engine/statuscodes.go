//go:build linux

package engine

import (
	"net/http"

	"aloft.dev/aloft/internal/cloud/plane/balancer/health"
)

// Status codes that are AWS's own (Application Load Balancer guide, Troubleshoot).
const (
	// statusClientClosed appears only in access logs: the client closed the connection
	// before it got a response (HTTP 460).
	statusClientClosed = 460

	// statusTooManyForwarders is for requests with too many addresses in
	// X-Forwarded-For (HTTP 463).
	statusTooManyForwarders = 463

	// statusIncompatible is for requests that the target group's protocol version
	// cannot carry (HTTP 464).
	statusIncompatible = 464
)

// reasons are the reason phrases of Application Load Balancers where they differ from
// net/http's.
var reasons = map[int]string{
	http.StatusServiceUnavailable:    "Service Temporarily Unavailable",
	http.StatusGatewayTimeout:        "Gateway Time-out",
	http.StatusRequestTimeout:        "Request Time-out",
	http.StatusRequestEntityTooLarge: "Request Entity Too Large",
	http.StatusRequestURITooLong:     "Request-URI Too Large",
	http.StatusMethodNotAllowed:      "Not Allowed",
	statusTooManyForwarders:          "",
	statusIncompatible:               "",
}

// reason returns the reason phrase of a status code.
func reason(code int) string {
	if r, ok := reasons[code]; ok {
		return r
	}
	return http.StatusText(code)
}

// statusOf returns the status code for an error between the load balancer and the
// target.
func statusOf(err error) int {
	if health.NoAnswer(err) {
		return http.StatusGatewayTimeout
	}
	return http.StatusBadGateway
}
