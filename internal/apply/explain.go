package apply

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
)

// explain makes of any error what a person can act on. The SDK's own words
// (operation, status, request id) go; what was tried and what AWS said stays.
func explain(where string, err error) diag.List {
	if list := diag.From(err); len(list) > 0 && !errors.Is(list[0].Cause, err) {
		return list
	}
	tried, _, _ := strings.Cut(err.Error(), ": operation error ")
	d := &diag.Diagnostic{Where: where, Summary: tried, Cause: err}
	code := awsapi.Code(err)
	if code != "" {
		d.Detail = code + ": " + awsapi.Message(err)
	}
	var refused *net.OpError
	switch {
	case errors.Is(err, context.Canceled):
		d.Summary, d.Hint = "stopped", "run the same command again: it goes on from here"
	case awsapi.IsIdentity(err):
		d.Where, d.Summary, d.Hint = "credentials", "AWS does not accept them", "check AWS_PROFILE or --profile, sign in again (aws sso login), or check the keys"
	case awsapi.IsForbidden(err):
		d.Hint = "these credentials may not do this: ask for the permission named above"
	case awsapi.IsQuota(err):
		d.Hint = "the account's quota is used up: ask AWS for more under Service Quotas, or delete what is not needed"
	case awsapi.IsThrottle(err):
		d.Hint = "AWS asks to slow down: run the same command again in a minute"
	case code == "InvalidRegion" || code == "OptInRequired":
		d.Where, d.Hint = "region", "choose a region that this account has switched on"
	case code == "" && strings.Contains(err.Error(), "get identity: get credentials"),
		strings.Contains(err.Error(), "failed to refresh cached credentials"):
		d.Where, d.Summary, d.Hint = "credentials", "there are none for AWS", "run aws configure or aws sso login, or set AWS_PROFILE"
	case errors.As(err, &refused):
		d.Detail, d.Hint = fmt.Sprint(refused), "check the connection; for the local cloud see: aloft local status"
	}
	return diag.List{d}
}
