package awsapi

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// uncertain are the codes of failures that may have happened before or after the
// request was carried out. Retrying is advised if the request is idempotent (Amazon
// EC2 API Reference, "Error codes for the Amazon EC2 API" and "Ensuring idempotency
// in Amazon EC2 API requests"). All other codes mean that the request was not
// carried out, also those with a status of 5xx: Unavailable,
// InsufficientInstanceCapacity and RequestLimitExceeded. The SDK uses UnknownError
// for a response without a code.
var uncertain = []string{
	"InternalError",
	"InternalFailure",
	"InternalServerError",
	"ServiceUnavailable",
	"ServiceUnavailableException",
	"UnknownError",
}

// IsResponseLost reports whether a request may have been carried out although no
// response says so: it was sent, and the connection broke, the time limit passed,
// the response cannot be read, or the service failed. A request that this side
// canceled is not included, because the canceling code knows about it.
func IsResponseLost(err error) bool {
	var canceled *smithy.CanceledError
	var requestCanceled *aws.RequestCanceledError
	if errors.As(err, &canceled) || errors.As(err, &requestCanceled) {
		return false
	}
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) && response.HTTPStatusCode() >= http.StatusBadRequest &&
		response.HTTPStatusCode() < http.StatusInternalServerError {
		return false // the service refused the request
	}
	if IsUnsupported(err) {
		return false
	}
	if code := Code(err); code != "" {
		return slices.Contains(uncertain, code)
	}
	var unreadable *smithy.DeserializationError
	if errors.As(err, &unreadable) {
		return true
	}
	var send *smithyhttp.RequestSendError
	return errors.As(err, &send) && !isUnsent(send)
}

// isUnsent reports whether there was no connection to send the request on.
func isUnsent(err error) bool {
	var name *net.DNSError
	var op *net.OpError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	return errors.As(err, &name) || errors.As(err, &certificate) || errors.As(err, &record) ||
		errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect")
}

// retryMore makes the SDK repeat requests that were throttled with a code that it does not
// know (aws/retry, DefaultThrottleErrorCodes), and requests whose response was lost, also
// if the response broke off within its body. Most calls may be repeated: they set
// something, carry a token, or create something whose name is refused the second
// time.
var retryMore = retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
	if IsResponseLost(err) || IsThrottle(err) {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
})

// refuseCapacity keeps the SDK from repeating requests for which AWS has no capacity.
// Their status is 500, which the SDK repeats, and capacity returns in minutes rather
// than seconds.
var refuseCapacity = retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
	if IsCapacity(err) {
		return aws.FalseTernary
	}
	return aws.UnknownTernary
})

// sendOnce is a retryer that does not repeat requests that may have been carried out.
type sendOnce struct{ aws.Retryer }

// IsErrorRetryable reports whether the request was certainly not carried out and may
// be repeated.
func (o sendOnce) IsErrorRetryable(err error) bool {
	return !IsResponseLost(err) && o.Retryer.IsErrorRetryable(err)
}

// SendOnce is an option for calls of EC2 that take effect twice if they are sent
// twice. The caller checks what was done if the response is lost.
func SendOnce(o *ec2.Options) { o.Retryer = sendOnce{o.Retryer} }

// SendOnceSSM is SendOnce for calls of Systems Manager.
func SendOnceSSM(o *ssm.Options) { o.Retryer = sendOnce{o.Retryer} }

// AddOnce calls add until a response arrives, and reports whether add added what did
// not exist before. add sends its request once; AWS refuses a second request,
// because what it adds exists.
func AddOnce(ctx context.Context, add func(context.Context) error) (added bool, err error) {
	lost := false
	for pause := firstPoll; ; pause *= 2 {
		err := add(ctx)
		switch {
		case err == nil:
			return true, nil
		case IsExists(err):
			return lost, nil
		case !IsResponseLost(err) || pause > maxBackoff:
			return lost, err
		}
		lost = true
		if stopped := Sleep(ctx, min(pause, time.Second)); stopped != nil {
			return lost, errors.Join(err, stopped)
		}
	}
}
