package access

import (
	"slices"

	"aloft.dev/aloft/internal/cloud/policydocument"
)

// Trustee is a principal that wants to assume a role: a service, a user or a session
// of an account, or somebody for whom an identity provider vouches.
type Trustee struct {
	Service string // "ec2.amazonaws.com"
	Account string // "000000000000"
	// Provider is the ARN of the identity provider that vouches for somebody without an account.
	Provider string
	Names    []string // ARNs and unique ids under which a policy may name the principal

	everybody bool // whether "*" names the principal itself
}

// Trust is what a role's trust policy says about a trustee.
type Trust int

// The degrees of trust.
const (
	Untrusted Trust = iota
	// Delegated means that the policy trusts the trustee's account, whose own policies
	// decide which of its principals may assume the role.
	Delegated
	// Trusted means that the policy names the trustee itself.
	Trusted
	// Refused means that a statement denies the request.
	Refused
)

// EvaluateTrust evaluates a role's trust policy. Of the request it uses action and
// context, because a trust policy has no resources (IAM User Guide, "AWS JSON policy
// elements: Principal").
func EvaluateTrust(trust *policydocument.Document, t Trustee, r Request) Trust {
	return evaluate(trust, t, r, func(*policydocument.Statement, scope) bool { return true })
}

// EvaluateResource evaluates the policy of the resource that a request is about (IAM User Guide,
// "Identity-based policies and resource-based policies"). An allowance for everybody trusts the principal itself.
func EvaluateResource(policy *policydocument.Document, t Trustee, resource string, r Request) Trust {
	t.everybody = true
	return evaluate(policy, t, r, func(s *policydocument.Statement, scope scope) bool {
		return matchesResource(s, r, resource, scope)
	})
}

// evaluate evaluates the statements of a policy that are about the request's resource.
func evaluate(
	policy *policydocument.Document, t Trustee, r Request, about func(*policydocument.Statement, scope) bool,
) Trust {
	scope, result := newFacts(r).in(policy), Untrusted
	for i := range policy.Statements {
		s := &policy.Statements[i]
		degree := t.degree(s)
		if degree == Untrusted || !matchesAction(s, r.Action) || !about(s, scope) || !scope.meets(s) {
			continue
		}
		if !s.Allow {
			return Refused
		}
		result = max(result, degree)
	}
	return result
}

// degree returns how a statement's principals include the trustee. An allowance with
// NotPrincipal includes nobody: trust policies cannot have one.
func (t Trustee) degree(s *policydocument.Statement) Trust {
	if len(s.NotPrincipals) > 0 {
		if s.Allow || t.among(s.NotPrincipals) != Untrusted {
			return Untrusted
		}
		return Trusted
	}
	return t.among(s.Principals)
}

// among returns how a list of principals includes the trustee. A principal "*" stands
// for every account.
func (t Trustee) among(principals map[string][]string) Trust {
	named := principals["AWS"]
	all := slices.Contains(named, "*") || slices.Contains(principals["*"], "*")
	switch {
	case t.Service != "" && slices.Contains(principals["Service"], t.Service),
		t.Service != "" && slices.Contains(principals["*"], "*"):
		return Trusted
	case all && t.everybody:
		return Trusted
	case t.Provider != "" && (all || slices.Contains(principals["Federated"], t.Provider)):
		return Trusted
	case t.Service != "", t.Provider != "":
		return Untrusted
	case slices.ContainsFunc(named, func(name string) bool { return slices.Contains(t.Names, name) }):
		return Trusted
	case all, slices.Contains(named, t.Account), slices.Contains(named, "arn:aws:iam::"+t.Account+":root"):
		return Delegated
	}
	return Untrusted
}
