//go:build linux

package cloud

import (
	"context"

	"aloft.dev/aloft/internal/cloud/host"
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
