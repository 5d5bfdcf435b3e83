//go:build linux

package cloud

import (
	"context"
	"log/slog"

	"aloft.dev/aloft/internal/cloud/api/autoscaling"
	"aloft.dev/aloft/internal/cloud/api/ec2"
	"aloft.dev/aloft/internal/cloud/authorization"
	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/identity"
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

// passRole returns what decides whether a caller of Auto Scaling may pass a role to it.
func passRole(guard *authorization.Authorizer) func(context.Context, *store.Role) error {
	return func(ctx context.Context, role *store.Role) error {
		return guard.PassRole(ctx, "autoscaling", role, "autoscaling.amazonaws.com")
	}
}

// passRoleTo returns what decides whether a caller of EC2 may pass a role to a service.
func passRoleTo(guard *authorization.Authorizer) func(context.Context, *store.Role, string) error {
	return func(ctx context.Context, role *store.Role, service string) error {
		return guard.PassRole(ctx, "ec2", role, service)
	}
}

// logWriter returns what decides whether flow logs may be written to a log group with a role.
func logWriter(guard *authorization.Authorizer) func(store.Reader, *store.Role, identity.Region, string) (bool, error) {
	return func(r store.Reader, role *store.Role, region identity.Region, group string) (bool, error) {
		return guard.MayWriteLogs(r, ec2.FlowLogService, role, region, group)
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
