package wire

import (
	"fmt"
	"net/http"
)

// Error is an answer of an AWS API that refuses a request: what API methods
// return. Any other error reaches the caller only as InternalError, with its
// cause in the log.
type Error struct {
	Code    string // as on AWS's wire: InvalidVpcID.NotFound, LoadBalancerNotFound, ParameterNotFound
	Name    string // in JSON and CBOR, where several errors of a service share a code; empty: it follows from Code
	Message string // for people
	Status  int    // HTTP status; 0 means 400, as nearly all errors of AWS's query APIs have
}

// Error tells code and message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

func (e *Error) status() int {
	if e.Status == 0 {
		return http.StatusBadRequest
	}
	return e.Status
}

// Errorf is an error of status 400 with a formatted message.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Status: http.StatusBadRequest}
}

// DryRunOperation is the answer of Amazon EC2 to a request with DryRun that
// would have succeeded. It has status 412, unlike other refusals.
func DryRunOperation() *Error {
	return &Error{
		Code:    "DryRunOperation",
		Message: "Request would have succeeded, but DryRun flag is set.",
		Status:  http.StatusPreconditionFailed,
	}
}

// NotImplemented is the answer to what AWS can do and the local cloud cannot. Its
// status is not 501: SDKs retry every status of 500 and above.
func NotImplemented(format string, args ...any) *Error {
	return Errorf("NotImplemented", "aloft's local cloud does not implement %s", fmt.Sprintf(format, args...))
}

func invalidValue(parameter, value, why string) *Error {
	return Errorf("InvalidParameterValue", "Value (%s) for parameter %s is invalid. %s", value, parameter, why)
}

func malformedQuery(why string) *Error {
	return Errorf("MalformedQueryString", "%s", why)
}

func internalError() *Error {
	return &Error{
		Code:    "InternalError",
		Message: "An internal error has occurred.",
		Status:  http.StatusInternalServerError,
	}
}
