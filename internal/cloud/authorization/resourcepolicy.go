package authorization

import (
	"context"
	"log/slog"
	"strings"

	"aloft.dev/aloft/internal/cloud/access"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/policydocument"
	"aloft.dev/aloft/internal/cloud/store"
)

// policyOf returns the policy of the resource with an ARN, "" for none.
func policyOf(r store.Reader, arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return ""
	}
	switch parts[2] {
	case "s3":
		name, _, _ := strings.Cut(parts[5], "/")
		if row, ok := store.Buckets.Get(r, name); ok {
			return row.Policy
		}
	case "sns":
		if row, ok := store.Topics.Get(r, arn); ok {
			return row.Policy
		}
	case "secretsmanager":
		name := strings.TrimPrefix(parts[5], "secret:")
		if i := strings.LastIndex(name, "-"); i >= 0 {
			name = name[:i]
		}
		if row, ok := store.Secrets.Get(r, store.SecretKey(identity.RegionOfARN(arn), name)); ok && row.ARN == arn {
			return row.Policy
		}
	}
	return ""
}

// checkResource evaluates the policy of the resource that a need is about. granted reports that it names the
// principal and lets it do what it needs, so that the principal's own policies need not, as long as none of
// them denies it. The error is that of a denial (IAM User Guide, "How AWS enforcement code logic evaluates
// requests to allow or deny access").
func (a *Authorizer) checkResource(
	ctx context.Context, r store.Reader, service string, p *principal, n need,
) (granted bool, err error) {
	text := policyOf(r, n.resource)
	if text == "" || n.unknown {
		return false, nil
	}
	denied := access.Decision{Explicit: true, Layer: access.Resource}
	policy, err := a.parsed.parse(policydocument.Resource, text)
	if err != nil { // it may deny something
		a.Log.LogAttrs(ctx, slog.LevelWarn, "deny a call", slog.String("resource", n.resource), slog.Any("error", err))
		return false, a.deny(ctx, service, p, n, denied)
	}
	request := a.request(p, n)
	trustee := access.Trustee{Account: p.caller.Region.Account(), Names: p.trusteeNames()}
	switch access.EvaluateResource(policy, trustee, n.resource, request) {
	case access.Refused:
		return false, a.deny(ctx, service, p, n, denied)
	case access.Trusted:
		return p.policies.WithinLimits(request), nil
	case access.Untrusted, access.Delegated:
	}
	return false, nil
}
