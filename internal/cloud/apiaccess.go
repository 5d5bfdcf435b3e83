//go:build linux

package cloud

import (
	"context"

	"aloft.dev/aloft/internal/cloud/authorization"
	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// nested returns what surrounds operations with inner, and inner with outer.
func nested(outer, inner wire.Around) wire.Around {
	return func(ctx context.Context, call wire.Call, next func(context.Context) (any, error)) (any, error) {
		return outer(ctx, call, func(ctx context.Context) (any, error) { return inner(ctx, call, next) })
	}
}

// rootKey returns the account's own access key, which has no session token.
func rootKey(c host.Credentials, token string) (wire.Key, error) {
	if token != "" {
		return wire.Key{}, wire.ErrUnknownKey
	}
	return wire.Key{Secret: c.SecretAccessKey}, nil
}

// passRole returns what decides whether a caller may pass a role to instances.
func passRole(guard *authorization.Authorizer) func(context.Context, *store.Role) error {
	return func(ctx context.Context, role *store.Role) error {
		return guard.PassRole(ctx, "ec2", role, "ec2.amazonaws.com")
	}
}
