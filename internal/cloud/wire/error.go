package wire

import (
	"fmt"
	"net/http"
)

// Error is an error that an AWS API returns to its clients. API methods return
// it. Any other error reaches the client as InternalError, or as
// ServiceUnavailable if the disk is full, with its cause in the log only.
type Error struct {
	Code    string // as AWS sends it: InvalidVpcID.NotFound, LoadBalancerNotFound, ParameterNotFound
	Name    string // in JSON and CBOR, if errors of the service share a code; empty: derived from Code
	Message string // for people
	Status  int    // HTTP status; 0 means 400, the status of nearly all errors of AWS's query APIs

	Object ObjectHeader // of the object of S3 that the error is about
}

// ObjectHeader has S3's description of an object in the headers of an error, and the region that the request should
// have been signed for. What is empty is not there.
type ObjectHeader struct{ ETag, LastModified, VersionID, DeleteMarker, Allow, Region string }

// Error returns the code and the message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

func (e *Error) status() int {
	if e.Status == 0 {
		return http.StatusBadRequest
	}
	return e.Status
}

// Errorf returns an error with status 400 and a formatted message.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Status: http.StatusBadRequest}
}

// DryRunOperation returns Amazon EC2's response to a request with DryRun that
// would have succeeded. Unlike other errors it has status 412.
func DryRunOperation() *Error {
	return &Error{
		Code:    "DryRunOperation",
		Message: "Request would have succeeded, but DryRun flag is set.",
		Status:  http.StatusPreconditionFailed,
	}
}

// NotImplemented returns the error for what AWS can do and the local cloud
// cannot. Its status is not 501, because SDKs retry every status from 500 on.
func NotImplemented(format string, args ...any) *Error {
	return Errorf("NotImplemented", "aloft's local cloud does not implement %s", fmt.Sprintf(format, args...))
}

func invalidValue(parameter, value, why string) *Error {
	return Errorf("InvalidParameterValue", "Value (%s) for parameter %s is invalid. %s", value, parameter, why)
}

func malformedQuery(why string) *Error {
	return Errorf("MalformedQueryString", "%s", why)
}

// diskFull is the error for a change that the store has no room for. The code and status are
// those of AWS for failures that pass (Common Error Types).
func diskFull() *Error {
	return &Error{
		Code:    "ServiceUnavailable",
		Message: "Nothing was changed, because the disk of the local cloud's host is full: no space left on device.",
		Status:  http.StatusServiceUnavailable,
	}
}

func internalError() *Error {
	return &Error{
		Code:    "InternalError",
		Message: "An internal error has occurred.",
		Status:  http.StatusInternalServerError,
	}
}
