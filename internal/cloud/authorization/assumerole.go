package authorization

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
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

// AssumeRoleFor returns the role with an ARN if its trust policy lets somebody do all of the actions for whom an
// identity provider vouches. keys are the condition keys of the request.
func (a *Authorizer) AssumeRoleFor(
	ctx context.Context, provider, arn string, actions []string, keys map[string][]string,
) (*store.Role, error) {
	role, ok := store.Roles.Get(
		a.Store.View(), store.NameKey(identity.RegionOfARN(arn), arn[strings.LastIndex(arn, "/")+1:]),
	)
	if !ok || role.ARN != arn {
		return nil, notAuthorized(actions[0])
	}
	trust, err := trustOf(role)
	if err != nil {
		a.Log.LogAttrs(ctx, slog.LevelWarn, "refuse a role", slog.Any("error", err))
		return nil, notAuthorized(actions[0])
	}
	all := requestKeys(wire.CallerFrom(ctx), a.Now())
	delete(all, "aws:PrincipalAccount")
	all["aws:ResourceAccount"] = []string{role.Region().Account()}
	maps.Copy(all, keys)
	for _, action := range actions {
		asked := access.Request{Action: action, Context: all, Modelled: modelled}
		if access.EvaluateTrust(trust, access.Trustee{Provider: provider}, asked) != access.Trusted {
			return nil, notAuthorized(action)
		}
	}
	return role, nil
}

// notAuthorized returns the error of AWS STS for somebody who has no ARN.
func notAuthorized(action string) error {
	return &wire.Error{
		Code: "AccessDenied", Message: "Not authorized to perform " + action, Status: http.StatusForbidden,
	}
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
