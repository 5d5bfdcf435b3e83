package frontend

import (
	"context"
	"net/http"

	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/wire"
)

// loadRates are the probabilities of what can happen to one call.
type loadRates struct {
	throttled   float64
	fault       float64 // an internal error, before the operation
	unavailable float64
	cut         float64 // the connection ends before the operation
	lost        float64 // the connection ends after the operation
}

// The rates are our own: AWS publishes none. They are high enough that a deployment
// meets each of them, and so low that the retries of the SDKs, which make three
// attempts by default, nearly always succeed. EC2 allows fewer calls per second that
// change something than calls that read (Amazon EC2 API Reference, Request throttling).
var (
	readRates   = loadRates{throttled: 0.03, fault: 0.005, unavailable: 0.005, cut: 0.01, lost: 0.01}
	changeRates = loadRates{throttled: 0.05, fault: 0.01, unavailable: 0.01, cut: 0.01, lost: 0.02}
)

func rates(call wire.Call) loadRates {
	if reads(call.Operation) {
		return readRates
	}
	return changeRates
}

// happens decides about one call. what names the event.
func (f *FrontEnd) happens(call wire.Call, rate float64, what string) bool {
	return f.Manners.Happens(manners.Load, rate, what+" "+call.Service+":"+call.Operation)
}

// overload returns the error of a call that does not reach the service, or nil.
func (f *FrontEnd) overload(ctx context.Context, call wire.Call) error {
	words, rate := wordsOf(call.Service), rates(call)
	switch {
	case f.happens(call, rate.cut, "cut"):
		f.log(ctx, call, "the connection ends before the operation")
		return wire.ErrHangUp
	case f.happens(call, rate.throttled, "throttle"):
		return words.throttled
	case f.happens(call, rate.fault, "fail"):
		return words.fault
	case f.happens(call, rate.unavailable, "be unavailable for"):
		return words.unavailable
	}
	return nil
}

// loadWords are a service's errors under load.
type loadWords struct{ throttled, fault, unavailable *wire.Error }

// wordsOf returns a service's errors under load. The codes are those of the Amazon EC2
// API Reference, Error codes for the Amazon EC2 API; of the Common Error Types of
// Elastic Load Balancing, Auto Scaling, CloudWatch and STS; and of the API References
// of AWS Systems Manager, Secrets Manager, Certificate Manager, CloudWatch Logs and Service
// Quotas. Clients report the messages.
func wordsOf(service string) loadWords {
	switch service {
	case "ec2":
		return loadWords{
			throttled: &wire.Error{
				Code: "RequestLimitExceeded", Message: "Request limit exceeded.",
				Status: http.StatusServiceUnavailable,
			},
			fault: &wire.Error{
				Code: "InternalError", Message: "An internal error has occurred",
				Status: http.StatusInternalServerError,
			},
			unavailable: &wire.Error{
				Code: "Unavailable", Message: "The server is overloaded and can't handle the request.",
				Status: http.StatusServiceUnavailable,
			},
		}
	case "servicequotas":
		return loadWords{
			throttled:   wire.Errorf("TooManyRequestsException", "Rate exceeded"),
			fault:       internalFailure(),
			unavailable: serviceUnavailable(),
		}
	case "secretsmanager":
		return loadWords{
			throttled: wire.Errorf("ThrottlingException", "Rate exceeded"),
			fault: &wire.Error{
				Code: "InternalServiceError", Message: "An error occurred on the server side.",
				Status: http.StatusInternalServerError,
			},
			unavailable: serviceUnavailable(),
		}
	case "logs":
		return loadWords{
			throttled: wire.Errorf("ThrottlingException", "Rate exceeded"), fault: internalFailure(),
			unavailable: &wire.Error{
				Code: "ServiceUnavailableException", Message: "The service cannot complete the request.",
				Status: http.StatusInternalServerError,
			},
		}
	case "ssm", "acm":
		return loadWords{
			throttled:   wire.Errorf("ThrottlingException", "Rate exceeded"),
			fault:       internalFailure(),
			unavailable: serviceUnavailable(),
		}
	}
	return loadWords{
		throttled:   wire.Errorf("Throttling", "Rate exceeded"),
		fault:       internalFailure(),
		unavailable: serviceUnavailable(),
	}
}

func internalFailure() *wire.Error {
	return &wire.Error{
		Code:    "InternalFailure",
		Message: "The request processing has failed because of an unknown error, exception or failure.",
		Status:  http.StatusInternalServerError,
	}
}

func serviceUnavailable() *wire.Error {
	return &wire.Error{
		Code:    "ServiceUnavailable",
		Message: "The request has failed due to a temporary failure of the server.",
		Status:  http.StatusServiceUnavailable,
	}
}
