package wire

import (
	"cmp"
	"context"
	"slices"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/session"
)

// Caller identifies the client that made a request.
type Caller struct {
	AccessKeyID string
	Principal   Principal
	Region      identity.Region // of the signature's scope, as the key's account sees it
	RequestID   string
	SourceIP    string // address of the client; empty: unknown
	UserAgent   string
	TLS         bool // the request came over TLS
	Endpoint    Endpoint
}

// Principal is whose access key signed a request. The zero Principal is the account
// itself, which may do everything, as the local cloud's own calls do.
type Principal struct {
	ARN    string // "arn:aws:sts::000000000000:assumed-role/web/i-0123456789abcdef0"
	UserID string // "AROA...:i-0123456789abcdef0"

	User    string           // name of the IAM user, if it is one
	Session *session.Session // nil: a key that is not temporary
}

// Owner reports whether the principal is the account itself, which may do everything.
func (p Principal) Owner() bool { return p.User == "" && p.Session == nil }

// Instance returns the id of the instance whose credentials signed the request; "" if they
// are not an instance's.
func (c Caller) Instance() string {
	if c.Principal.Session == nil {
		return ""
	}
	return c.Principal.Session.Instance
}

type callerKey struct{}

// WithCaller returns a context that carries the caller of a request.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerFrom returns the caller of the request that ctx belongs to, or the zero
// Caller outside of a request.
func CallerFrom(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// AccountFrom returns the account whose key signed the request that ctx belongs to.
func AccountFrom(ctx context.Context) string { return RegionFrom(ctx).Account() }

// ARNFrom returns the ARN of the user or the session whose key signed the request that ctx
// belongs to.
func ARNFrom(ctx context.Context) string {
	caller := CallerFrom(ctx)
	return cmp.Or(caller.Principal.ARN, identity.UserARN(caller.Region.Account()))
}

// GlobalFrom returns the region of what belongs to the account of the request that ctx belongs
// to, but to no region.
func GlobalFrom(ctx context.Context) identity.Region { return RegionFrom(ctx).Global() }

// RegionFrom returns the region of the request that ctx belongs to.
func RegionFrom(ctx context.Context) identity.Region { return CallerFrom(ctx).Region }

type sharedKey struct{}

// WithShared returns a context for a call that may use resources of other accounts, by their ARNs.
func WithShared(ctx context.Context, arns []string) context.Context {
	return context.WithValue(ctx, sharedKey{}, arns)
}

// IsShared reports whether a call may use the resource of another account with an ARN.
func IsShared(ctx context.Context, arn string) bool {
	shared, _ := ctx.Value(sharedKey{}).([]string)
	return slices.Contains(shared, arn)
}

// MayUse reports whether a call may use a resource of an account: of the caller's own, or one that is shared with it.
func MayUse(ctx context.Context, account, arn string) bool {
	return account == AccountFrom(ctx) || IsShared(ctx, arn)
}
