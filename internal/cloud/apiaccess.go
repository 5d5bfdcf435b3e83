//go:build linux

package cloud

import (
	"context"
	"log/slog"

	"aloft.dev/aloft/internal/cloud/api/autoscaling"
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

// passRole returns what decides whether a caller of a service may pass a role to it.
func passRole(guard *authorization.Authorizer, service string) func(context.Context, *store.Role) error {
	return func(ctx context.Context, role *store.Role) error {
		return guard.PassRole(ctx, service, role, service+".amazonaws.com")
	}
}

// publisher returns what decides whether Auto Scaling may publish to a topic with a role.
func publisher(guard *authorization.Authorizer, log *slog.Logger) autoscaling.Publisher {
	return func(r store.Reader, role *store.Role, topic *store.Topic) bool {
		may, err := guard.MayPublish(r, "autoscaling.amazonaws.com", role, topic)
		if err != nil {
			log.Warn("a role may not publish to a topic", "role", role.ARN, "topic", topic.ARN, "error", err)
		}
		return may
	}
}
