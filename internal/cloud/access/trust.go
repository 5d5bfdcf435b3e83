package access

import (
	"slices"

	"aloft.dev/aloft/internal/cloud/policydocument"
)

// Trustee is a principal that wants to assume a role: a service, or a user or a session
// of an account.
type Trustee struct {
	Service string   // "ec2.amazonaws.com"
	Account string   // "000000000000"
	Names   []string // ARNs and unique ids under which a policy may name the principal
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
	scope, result := newFacts(r).in(trust), Untrusted
	for i := range trust.Statements {
		s := &trust.Statements[i]
		degree := t.degree(s)
		if degree == Untrusted || !matchesAction(s, r.Action) || !scope.meets(s) {
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
	if t.Service != "" {
		if slices.Contains(principals["Service"], t.Service) || slices.Contains(principals["*"], "*") {
			return Trusted
		}
		return Untrusted
	}
	named := principals["AWS"]
	switch {
	case slices.ContainsFunc(named, func(name string) bool { return slices.Contains(t.Names, name) }):
		return Trusted
	case slices.Contains(named, t.Account), slices.Contains(named, "arn:aws:iam::"+t.Account+":root"),
		slices.Contains(named, "*"), slices.Contains(principals["*"], "*"):
		return Delegated
	}
	return Untrusted
}
