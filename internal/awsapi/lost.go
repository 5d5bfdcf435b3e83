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

// uncertain are the codes with which a service says that it failed, and not whether
// before or after the work: to repeat a request after them is advised where it is
// idempotent (Amazon EC2 API Reference, "Error codes for the Amazon EC2 API" and
// "Ensuring idempotency in Amazon EC2 API requests"). All others say that nothing
// was done, also those of the 5xx: Unavailable, InsufficientInstanceCapacity, and
// RequestLimitExceeded. UnknownError is the SDK's, for an answer without a code.
var uncertain = []string{
	"InternalError",
	"InternalFailure",
	"InternalServerError",
	"ServiceUnavailable",
	"ServiceUnavailableException",
	"UnknownError",
}

// IsLost tells that a request may have been carried out, and that no answer says
// so: it was sent, and the connection broke, the time was over, the answer cannot
// be read, or the service failed. What was cancelled on this side is not lost: who
// cancels knows it.
func IsLost(err error) bool {
	var canceled *smithy.CanceledError
	var given *aws.RequestCanceledError
	if errors.As(err, &canceled) || errors.As(err, &given) {
		return false
	}
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) && answer.HTTPStatusCode() >= http.StatusBadRequest &&
		answer.HTTPStatusCode() < http.StatusInternalServerError {
		return false // refused, in whatever words
	}
	if code := Code(err); code != "" {
		return slices.Contains(uncertain, code)
	}
	var unread *smithy.DeserializationError
	if errors.As(err, &unread) {
		return true
	}
	var send *smithyhttp.RequestSendError
	return errors.As(err, &send) && !unsent(send)
}

// unsent tells that there was no connection to send a request on.
func unsent(err error) bool {
	var name *net.DNSError
	var op *net.OpError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	return errors.As(err, &name) || errors.As(err, &certificate) || errors.As(err, &record) ||
		errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect")
}

// lostAgain lets the SDK send again what was lost, also when an answer broke off
// within its body. Most calls may be repeated: they set something, carry a token,
// or have a name that is refused the second time.
var lostAgain = retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
	if IsLost(err) {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
})

// once is a retryer that does not send again what may have been carried out.
type once struct{ aws.Retryer }

// IsErrorRetryable tells that nothing was done, and that it may be tried again.
func (o once) IsErrorRetryable(err error) bool {
	return !IsLost(err) && o.Retryer.IsErrorRetryable(err)
}

// Once is an option of calls to EC2 that would do twice what is sent twice. Whoever
// gives it looks for what was done when the answer is lost.
func Once(o *ec2.Options) { o.Retryer = once{o.Retryer} }

// OnceSSM is Once for calls to Systems Manager.
func OnceSSM(o *ssm.Options) { o.Retryer = once{o.Retryer} }

// Added calls add until an answer arrives, and tells whether what it adds was not
// there before. add sends once; it is refused as existing when it comes twice.
func Added(ctx context.Context, add func(context.Context) error) (bool, error) {
	lost := false
	for pause := firstPoll; ; pause *= 2 {
		err := add(ctx)
		switch {
		case err == nil:
			return true, nil
		case IsExists(err):
			return lost, nil
		case !IsLost(err) || pause > maxBackoff:
			return lost, err
		}
		lost = true
		if stopped := Pause(ctx, min(pause, time.Second)); stopped != nil {
			return lost, errors.Join(err, stopped)
		}
	}
}
