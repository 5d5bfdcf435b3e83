package authorization

import (
	"context"
	"log/slog"
	"strings"

	"aloft.dev/aloft/internal/cloud/access"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/policydocument"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// AssumeRole returns the role with an ARN if the caller of ctx may do with it what the request needs: the actions
// are sts:AssumeRole and those that passing tags or a source identity needs. For each, the role
// must trust the caller, by name or by account, and if it trusts the account or belongs to
// another one, the caller's own policies must allow it too (IAM User Guide, "Cross account
// resource access in IAM", "Access within the same account"). keys are the condition keys of the request.
// A role that does not exist has the error of one that does not trust the caller.
func (a *Authorizer) AssumeRole(
	ctx context.Context, arn string, actions []string, keys map[string][]string,
) (*store.Role, error) {
	caller, view := wire.CallerFrom(ctx), a.Store.View()
	refused := denial("sts", withUser(caller), need{action: actions[0], resource: arn}, access.Decision{})
	role, ok := store.Roles.Get(view, store.NameKey(identity.RegionOfARN(arn), arn[strings.LastIndex(arn, "/")+1:]))
	if !ok || role.ARN != arn {
		return nil, refused
	}
	trust, err := trustOf(role)
	if err != nil {
		a.Log.LogAttrs(ctx, slog.LevelWarn, "refuse a role", slog.Any("error", err))
		return nil, refused
	}
	p, err := a.principal(view, caller)
	if err != nil {
		return nil, a.failed(ctx, wire.Call{Service: "sts", Operation: "AssumeRole"}, err)
	}
	for _, action := range actions {
		if err := a.checkTrust(ctx, p, role, trust, need{action: action, resource: arn, keys: keys}); err != nil {
			return nil, err
		}
	}
	return role, nil
}

// checkTrust returns the error of a request that a role's trust policy or the policies of its caller do not allow.
func (a *Authorizer) checkTrust(
	ctx context.Context, p *principal, role *store.Role, trust *policydocument.Document, wanted need,
) error {
	refused := denial("sts", withUser(p.caller), wanted, access.Decision{})
	trustee := access.Trustee{Account: p.caller.Region.Account(), Names: p.trusteeNames()}
	asked := a.request(p, wanted)
	switch degree := access.EvaluateTrust(trust, trustee, asked); {
	case degree == access.Trusted && role.Region() == p.caller.Region.Global():
		if !p.policies.WithinLimits(asked) {
			return refused
		}
	case degree == access.Trusted, degree == access.Delegated:
		wanted.keys = withTags(wanted.keys, "iam", role.Tags)
		return a.check(ctx, "sts", p, wanted)
	default:
		return refused
	}
	return nil
}

// withUser returns the principal of a caller, or the account's user for the zero principal.
func withUser(caller wire.Caller) wire.Principal {
	p := caller.Principal
	if p.ARN == "" {
		p.ARN = identity.UserARN(caller.Region.Account())
	}
	return p
}
