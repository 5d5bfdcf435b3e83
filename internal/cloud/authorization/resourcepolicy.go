package authorization

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"aloft.dev/aloft/internal/cloud/access"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/policydocument"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// sharing are the services whose resources have policies that may share them with other accounts.
var sharing = map[string]bool{"s3": true, "sns": true, "secretsmanager": true}

// guarded is a resource that may have a policy.
type guarded struct {
	arn     string // of what has the policy: the bucket of an object
	account string // that owns it; "": that of the caller
	policy  string // "": none
}

// guardedBy returns what has the policy for the resource that a need is about.
func guardedBy(r store.Reader, n need) guarded {
	arn := n.resource
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || !sharing[parts[2]] || n.creates {
		return guarded{}
	}
	g := guarded{arn: arn, account: parts[4]}
	switch parts[2] {
	case "s3":
		name, _, _ := strings.Cut(parts[5], "/")
		if row, ok := store.Buckets.Get(r, name); ok {
			return guarded{bucketARN + name, row.Region.Account(), row.Policy}
		}
	case "sns":
		if row, ok := store.Topics.Get(r, arn); ok {
			g.policy = row.Policy
		} else if row, ok := store.Subscriptions.Get(r, arn); ok {
			g.account = row.Region.Account()
		}
	case "secretsmanager":
		name := strings.TrimPrefix(parts[5], "secret:")
		if i := strings.LastIndex(name, "-"); i >= 0 {
			name = name[:i]
		}
		if row, ok := store.Secrets.Get(r, store.SecretKey(identity.RegionOfARN(arn), name)); ok && row.ARN == arn {
			g.policy = row.Policy
		}
	}
	return g
}

// checkOwn returns the error of a call about a resource of the caller's account that the caller may not make. If
// the resource's policy names the principal and lets it do what it needs, the principal's own policies need not, as
// long as none of them denies it (IAM User Guide, "How AWS enforcement code logic evaluates requests to allow or
// deny access").
func (a *Authorizer) checkOwn(ctx context.Context, service string, p *principal, n need, policy string) error {
	if policy == "" || n.unknown {
		return a.check(ctx, service, p, n)
	}
	request := a.request(p, n)
	switch a.trusts(p, n, policy, request) {
	case access.Refused:
		return a.deny(ctx, service, p, n, access.Decision{Explicit: true, Layer: access.Resource})
	case access.Trusted:
		if p.policies.WithinLimits(request) {
			return nil
		}
	case access.Untrusted, access.Delegated:
	}
	return a.check(ctx, service, p, n)
}

// checkForeign returns the error of a call about a resource of another account that the caller may not make: both
// the resource's policy and those of the caller must allow it (IAM User Guide, "Cross-account policy evaluation
// logic").
func (a *Authorizer) checkForeign(ctx context.Context, service string, p *principal, n need, g guarded) error {
	request := a.request(p, n)
	request.Context["aws:ResourceAccount"] = []string{g.account}
	trust := access.Untrusted
	if g.policy != "" {
		trust = a.trusts(p, n, g.policy, request)
	}
	decision := p.policies.Evaluate(request)
	switch {
	case trust == access.Refused:
		decision = access.Decision{Explicit: true, Layer: access.Resource}
	case decision.Allowed && trust == access.Untrusted:
		decision = access.Decision{Layer: access.Resource}
	case decision.Allowed:
		return nil
	}
	if service == "s3" { // S3 tells other accounts no more
		a.log(ctx, p, n, decision)
		return &wire.Error{Code: "AccessDenied", Message: "Access Denied", Status: http.StatusForbidden}
	}
	return a.deny(ctx, service, p, n, decision)
}

// trusts evaluates the policy of a resource. One that cannot be read may deny something.
func (a *Authorizer) trusts(p *principal, n need, policy string, request access.Request) access.Trust {
	document, err := a.parsed.parse(policydocument.Resource, policy)
	if err != nil {
		a.Log.Warn("deny a call", slog.String("resource", n.resource), slog.Any("error", err))
		return access.Refused
	}
	trustee := access.Trustee{Account: p.caller.Region.Account(), Names: p.trusteeNames()}
	return access.EvaluateResource(document, trustee, n.resource, request)
}
