package authorization

import (
	"context"
	"log/slog"
	"maps"
	"strings"

	"aloft.dev/aloft/internal/cloud/access"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// AssumeRole returns the role with an ARN if the caller of ctx may assume it: the role
// must trust the caller, by name or by account, and if it trusts the account or belongs to
// another one, the caller's own policies must allow it too (IAM User Guide, "Cross account
// resource access in IAM", "Access within the same account"). keys are the condition keys of the request.
// A role that does not exist has the error of one that does not trust the caller.
func (a *Authorizer) AssumeRole(ctx context.Context, arn string, keys map[string][]string) (*store.Role, error) {
	caller, view := wire.CallerFrom(ctx), a.Store.View()
	wanted := need{action: "sts:AssumeRole", resource: arn}
	refused := denial("sts", withUser(caller), wanted, access.Decision{})
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
	trustee := access.Trustee{Account: caller.Region.Account(), Names: p.trusteeNames()}
	all := p.keys(a.Now())
	maps.Copy(all, keys)
	asked := access.Request{Action: "sts:AssumeRole", Context: all, Modelled: modelled}
	switch degree := access.EvaluateTrust(trust, trustee, asked); {
	case degree == access.Trusted && role.Region() == caller.Region.Global():
		asked.Resources = []string{arn}
		if !p.policies.WithinLimits(asked) {
			return nil, refused
		}
	case degree == access.Trusted, degree == access.Delegated:
		wanted.keys = withTags(keys, "iam", role.Tags)
		if err := a.check(ctx, "sts", p, wanted); err != nil {
			return nil, err
		}
	default:
		return nil, refused
	}
	return role, nil
}

// withUser returns the principal of a caller, or the account's user for the zero principal.
func withUser(caller wire.Caller) wire.Principal {
	p := caller.Principal
	if p.ARN == "" {
		p.ARN = identity.UserARN(caller.Region.Account())
	}
	return p
}
