package iam

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/access"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/policydocument"
)

// How simulations call the lists and the types of policies.
const (
	policyInputs   = "PolicyInputList"
	boundaryInputs = "PermissionsBoundaryPolicyInputList"
	resourceInput  = "ResourcePolicy"

	identityType types.PolicySourceType = "IAM Policy"
	resourceType types.PolicySourceType = "Resource Policy"
)

// simulation decides what a principal may do, with the evaluation that decides about calls.
// It knows the condition keys of the request alone.
type simulation struct {
	policies []source
	boundary *source // nil: none
	resource *source // the policy of every resource; nil: none
	caller   string  // ARN
	owner    string  // account of resources whose ARNs have none
	context  map[string][]string
}

// results returns the result for every action on every resource. Each is about one resource: AWS's
// newer results are about an action, and name a pattern of resources.
func (s *simulation) results(actions, resources []string) []types.EvaluationResult {
	missing, out := s.missing(), make([]types.EvaluationResult, 0, len(actions)*len(resources))
	for _, action := range actions {
		for _, name := range resources {
			v := s.evaluate(action, name)
			result := types.EvaluationResult{
				EvalActionName: &action, EvalResourceName: &name, EvalDecision: v.decision,
				MatchedStatements: v.matched, MissingContextValues: missing, EvalDecisionDetails: v.details,
				PermissionsBoundaryDecisionDetail: v.boundary,
			}
			if name != "*" {
				result.ResourceSpecificResults = []types.ResourceSpecificResult{{
					EvalResourceName: &name, EvalResourceDecision: v.decision, MatchedStatements: v.matched,
					MissingContextValues: missing, EvalDecisionDetails: v.details,
					PermissionsBoundaryDecisionDetail: v.boundary,
				}}
			}
			out = append(out, result)
		}
	}
	return out
}

// missing returns the condition keys that the policies refer to and the request does not have.
func (s *simulation) missing() []string {
	all := slices.Clone(s.policies)
	for _, one := range []*source{s.boundary, s.resource} {
		if one != nil {
			all = append(all, *one)
		}
	}
	return slices.DeleteFunc(policydocument.ContextKeys(documents(all)...), func(key string) bool {
		for given := range s.context {
			if strings.EqualFold(given, key) {
				return true
			}
		}
		return false
	})
}

// verdict is the result for an action on a resource.
type verdict struct {
	decision types.PolicyEvaluationDecisionType
	matched  []types.Statement
	details  map[string]types.PolicyEvaluationDecisionType
	boundary *types.PermissionsBoundaryDecisionDetail
}

// evaluate decides about an action on a resource.
func (s *simulation) evaluate(action, name string) verdict {
	r := access.Request{Action: action, Resources: []string{name}, Context: s.context}
	policies := access.Policies{Identity: documents(s.policies)}
	var v verdict
	if s.boundary != nil {
		policies.Boundary = s.boundary.document
		limits := []*policydocument.Document{policies.Boundary}
		v.boundary = &types.PermissionsBoundaryDecisionDetail{
			AllowedByPermissionsBoundary: access.Evaluate(limits, nil, r).Allowed,
		}
	}
	byIdentity := policies.Evaluate(r)
	own, delegated := s.concerning()
	byResource := access.Evaluate([]*policydocument.Document{own}, nil, r)
	crosses := s.account(name) != identity.RegionOfARN(s.caller).Account()
	if name != "*" {
		v.details = map[string]types.PolicyEvaluationDecisionType{}
	}
	switch {
	case byIdentity.Explicit || byResource.Explicit:
		v.decision = types.PolicyEvaluationDecisionTypeExplicitDeny
	case s.resource != nil && crosses:
		byAccount := access.Matches([]*policydocument.Document{delegated}, true, r)
		byResource.Allowed = byResource.Allowed || len(byAccount) > 0
		v.decision = decisionOf(byIdentity.Allowed && byResource.Allowed)
		if name != "*" {
			v.details[string(identityType)] = decisionOf(byIdentity.Allowed)
			v.details[string(resourceType)] = decisionOf(byResource.Allowed)
		}
	default:
		v.decision = decisionOf(byIdentity.Allowed || byResource.Allowed)
	}
	v.matched = s.matched(v.decision, own, delegated, r)
	return v
}

func decisionOf(allowed bool) types.PolicyEvaluationDecisionType {
	if allowed {
		return types.PolicyEvaluationDecisionTypeAllowed
	}
	return types.PolicyEvaluationDecisionTypeImplicitDeny
}

// concerning returns the statements of the resource's policy that concern the caller, and those
// that concern its account.
func (s *simulation) concerning() (own, delegated *policydocument.Document) {
	if s.resource == nil {
		return &policydocument.Document{}, &policydocument.Document{}
	}
	return access.Concerning(s.resource.document, access.Trustee{
		Account: identity.RegionOfARN(s.caller).Account(), Names: []string{s.caller},
	})
}

// account returns the account that owns a resource.
func (s *simulation) account(name string) string {
	if parts := strings.SplitN(name, ":", 6); len(parts) == 6 && parts[4] != "" {
		return parts[4]
	}
	return s.owner
}

// matched returns the statements that lead to a decision: those that allow the request or, if any
// does, those that deny it. A boundary's are not among them.
func (s *simulation) matched(
	decision types.PolicyEvaluationDecisionType, own, delegated *policydocument.Document, r access.Request,
) []types.Statement {
	out := []types.Statement{}
	if decision == types.PolicyEvaluationDecisionTypeImplicitDeny {
		return out
	}
	allowed := decision == types.PolicyEvaluationDecisionTypeAllowed
	for _, m := range access.Matches([]*policydocument.Document{own, delegated}, allowed, r) {
		out = append(out, s.resource.statement(m.Statement, resourceInput, resourceType))
	}
	for _, m := range access.Matches(documents(s.policies), allowed, r) {
		if policy := &s.policies[m.Document]; policy.text != "" {
			out = append(out, policy.statement(m.Statement, policy.id(), identityType))
		}
	}
	return out
}

// statement describes a statement of a policy.
func (s *source) statement(index int, id string, kind types.PolicySourceType) types.Statement {
	span := policydocument.Spans(s.text)[index]
	position := func(p policydocument.Position) *types.Position {
		return &types.Position{Line: int32(p.Line), Column: int32(p.Column)}
	}
	return types.Statement{
		SourcePolicyId: &id, SourcePolicyType: kind,
		StartPosition: position(span.Start), EndPosition: position(span.End),
	}
}

// numbered is a result and its place in the order of results, which is that of the request.
type numbered struct {
	types.EvaluationResult
	number int
}

func (n numbered) key() string { return fmt.Sprintf("%08d", n.number) }
