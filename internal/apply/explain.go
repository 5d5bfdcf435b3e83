package apply

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/aws/smithy-go"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
)

const (
	runAgain        = "run the same command again: it goes on from here"
	checkConnection = "check the connection; for the local cloud see: aloft local status"
)

// explain turns any error into diagnostics that name what was attempted, the cause
// and a remedy. It drops the SDK's wording (operation, status, request id) and
// keeps what AWS answered.
func explain(where string, err error) diag.List {
	if list := diag.From(err); len(list) > 0 && !errors.Is(list[0].Cause, err) {
		return list
	}
	attempted, sdk, _ := strings.Cut(err.Error(), ": operation error ")
	d := &diag.Diagnostic{Where: where, Summary: attempted, Cause: err}
	if awsapi.Code(err) != "" {
		d.Detail = fmt.Sprintf("%s: %s%s", awsapi.Code(err), awsapi.Message(err), operation(err))
	} else if sdk != "" {
		d.Detail = "operation " + sdk
	}
	if !explainCredentials(d, err) {
		explainCause(d, err)
	}
	return diag.List{d}
}

// explained returns err if it is made of diagnostics, and its explanation otherwise.
func explained(err error) error {
	var list diag.List
	var d *diag.Diagnostic
	if err == nil || errors.As(err, &list) || errors.As(err, &d) {
		return err
	}
	return explain("", err)
}

// operation returns the API operation that failed: " (EC2 CreateVpc)".
func operation(err error) string {
	var op *smithy.OperationError
	if !errors.As(err, &op) {
		return ""
	}
	return fmt.Sprintf(" (%s %s)", op.Service(), op.Operation())
}

// explainCredentials explains errors that concern the caller's credentials. It
// reports whether err is one.
func explainCredentials(d *diag.Diagnostic, err error) bool {
	text := err.Error()
	switch {
	case errors.Is(err, context.Canceled):
		return false
	case awsapi.IsIdentity(err):
		d.Summary = "AWS does not accept them"
		d.Hint = "check AWS_PROFILE or --profile, sign in again (aws sso login), or check the keys"
	case awsapi.Code(err) == "" && strings.Contains(text, "get identity: get credentials"),
		strings.Contains(text, "failed to refresh cached credentials"):
		d.Summary, d.Hint = "there are none for AWS", "run aws configure or aws sso login, or set AWS_PROFILE"
	default:
		return false
	}
	d.Where = "credentials"
	return true
}

// explainCause sets the remedy according to the cause.
func explainCause(d *diag.Diagnostic, err error) {
	code := awsapi.Code(err)
	var network *net.OpError
	var late *awsapi.TimeoutError
	switch {
	case errors.Is(err, context.Canceled):
		d.Summary, d.Hint = "stopped", runAgain
	case awsapi.IsForbidden(err):
		d.Hint = "these credentials may not do this: ask for the permission named above"
	case awsapi.IsQuota(err):
		d.Hint = "the account's quota is used up: ask AWS for more under Service Quotas, or delete what is not needed"
	case awsapi.IsThrottle(err):
		d.Hint = "AWS asks to slow down: run the same command again in a minute"
	case awsapi.IsCapacity(err):
		d.Hint = "AWS has no capacity for this now: run the same command again later, or use another machines.type or zone"
	case code == "InvalidRegion" || code == "OptInRequired":
		d.Where, d.Hint = "region", "choose a region that this account has switched on"
	case awsapi.IsServerFault(err):
		d.Hint = "AWS failed to process the request, see health.aws.amazon.com; " + runAgain
	case awsapi.IsUnsupported(err):
		d.Hint = "the endpoint does not offer this operation: check AWS_ENDPOINT_URL, " +
			"and that Aloft and the local cloud are of the same version"
	case code != "":
		d.Hint = "AWS rejected the request: fix what the message names, then run the same command again"
	case errors.As(err, &network):
		d.Detail, d.Hint = fmt.Sprint(network), checkConnection
	case awsapi.IsLost(err):
		d.Hint = checkConnection
	case errors.As(err, &late), errors.Is(err, context.DeadlineExceeded):
		d.Hint = runAgain
	default:
		d.Hint = "fix what the message names, then run the same command again"
	}
}
