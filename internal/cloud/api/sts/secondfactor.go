package sts

import (
	"context"
	"net/http"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/cloud/wire"
)

// The forms of second factors in requests (AWS STS API Reference, AssumeRole).
const (
	minSerial  = 9
	maxSerial  = 256
	codeLength = 6
	serial     = `[\w+=/:,.@-]*`
	code       = `[\d]*`
)

var (
	serialForm = regexp.MustCompile(`^[\w+=/:,.@-]*$`)
	codeForm   = regexp.MustCompile(`^\d*$`)
)

// checkFactorForm refuses a second factor that violates the API's model.
func checkFactorForm(number, token *string) error {
	n, t := aws.ToString(number), aws.ToString(token)
	switch {
	case number != nil && (len(n) < minSerial || len(n) > maxSerial):
		return model.Refuse("serialNumber", n, "have length between %d and %d, inclusive", minSerial, maxSerial)
	case !serialForm.MatchString(n):
		return model.Refuse("serialNumber", n, "satisfy regular expression pattern: %s", serial)
	case token != nil && len(t) != codeLength:
		return model.RefuseWithoutValue("tokenCode", "have length %d", codeLength)
	case !codeForm.MatchString(t):
		return model.RefuseWithoutValue("tokenCode", "satisfy regular expression pattern: %s", code)
	}
	return nil
}

// checkFactor reports whether a request has a second factor. The error is for one that is not the caller's.
func (a *API) checkFactor(ctx context.Context, number, token *string) (given bool, err error) {
	switch {
	case number == nil && token == nil:
		return false, nil
	case number == nil || token == nil:
		return false, &wire.Error{
			Code: "AccessDenied", Status: http.StatusForbidden,
			Message: "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.",
		}
	case a.SecondFactor == nil:
		return false, wire.NotImplemented("second factors without users")
	}
	return true, a.SecondFactor(ctx, *number, *token)
}
