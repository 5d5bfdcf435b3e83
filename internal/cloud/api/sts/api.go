// Package sts serves the AWS Security Token Service of the local cloud: it identifies
// callers and issues temporary credentials of roles.
package sts

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/session"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Config configures an API.
type Config struct {
	Sessions *session.Issuer // nil: there are no roles to assume
	// AssumeRole returns the role with an ARN if the caller of ctx may assume it, or the
	// error of the API. keys are condition keys of the request.
	AssumeRole func(ctx context.Context, arn string, keys map[string][]string) (*store.Role, error)
	Now        func() time.Time // nil: time.Now
}

// API implements the operations of AWS STS (AWS Security Token Service API Reference).
type API struct{ Config }

// New returns an API.
func New(c Config) *API {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &API{c}
}

// GetCallerIdentity returns the account, the ARN and the id of the user or the session
// that signed the request.
func (a *API) GetCallerIdentity(
	ctx context.Context, _ *sts.GetCallerIdentityInput,
) (*sts.GetCallerIdentityOutput, error) {
	caller := wire.CallerFrom(ctx)
	account := caller.Region.Account()
	arn, id := identity.UserARN(account), identity.UserID(account)
	if p := caller.Principal; p.Session != nil {
		arn, id = p.ARN, p.UserID
	}
	return &sts.GetCallerIdentityOutput{Account: &account, Arn: &arn, UserId: &id}, nil
}
