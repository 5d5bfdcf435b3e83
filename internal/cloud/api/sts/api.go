// Package sts serves the AWS Security Token Service of the local cloud: it identifies
// callers and issues temporary credentials of roles and users.
package sts

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/session"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/webidentity"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Config configures an API.
type Config struct {
	Store    *store.Store    // nil: there are no users
	Sessions *session.Issuer // nil: there are no temporary credentials
	// AssumeRole returns the role with an ARN if the caller of ctx may do all of the actions with it, or the
	// error of the API. keys are condition keys of the request.
	AssumeRole func(ctx context.Context, arn string, actions []string, keys map[string][]string) (*store.Role, error)
	// AssumeRoleFor is like AssumeRole for somebody for whom an identity provider vouches; nil: there are no providers.
	AssumeRoleFor func(
		ctx context.Context, provider, arn string, actions []string, keys map[string][]string,
	) (*store.Role, error)
	// ProviderKeys returns the public keys of the OpenID Connect provider with a URL, without its scheme.
	ProviderKeys func(url string) (webidentity.Keys, error)
	// PolicyExists reports whether there is a managed policy with an ARN; nil: there are none.
	PolicyExists func(arn string) bool
	// SecondFactor returns the error of the API unless a code is that of a second factor of the caller of ctx.
	SecondFactor func(ctx context.Context, serial, code string) error
	Now          func() time.Time // nil: time.Now
	Log          *slog.Logger     // nil: discarded
}

// API implements the operations of AWS STS (AWS Security Token Service API Reference).
type API struct{ Config }

// New returns an API.
func New(c Config) *API {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
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
	return &sts.GetCallerIdentityOutput{
		Account: &account, Arn: aws.String(wire.ARNFrom(ctx)), UserId: aws.String(userID(caller)),
	}, nil
}

// userID returns the unique id of a caller.
func userID(caller wire.Caller) string {
	return cmp.Or(caller.Principal.UserID, identity.UserID(caller.Region.Account()))
}
