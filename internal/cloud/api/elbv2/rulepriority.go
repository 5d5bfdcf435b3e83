package elbv2

import (
	"cmp"
	"context"
	"slices"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxPriority is the highest priority of a rule (Elastic Load Balancing API
// Reference, CreateRule).
const maxPriority = 50000

// SetRulePriorities changes the priorities of all given rules or of none. The
// rules must be of one listener, and may trade priorities in one call.
func (a *API) SetRulePriorities(
	ctx context.Context, in *elb.SetRulePrioritiesInput,
) (*elb.SetRulePrioritiesOutput, error) {
	if len(in.RulePriorities) == 0 {
		return nil, model.Null("rulePriorities")
	}
	return update(a, func(tx *store.Tx) (*elb.SetRulePrioritiesOutput, error) {
		changed, l, err := withPriorities(tx, wire.RegionFrom(ctx), in.RulePriorities)
		if err != nil {
			return nil, err
		}
		out := &elb.SetRulePrioritiesOutput{}
		for _, row := range store.RulesByListener.List(tx, l.ARN) {
			for _, moved := range changed {
				if row.ARN != moved.ARN && row.Priority == moved.Priority &&
					!slices.ContainsFunc(changed, func(r *store.Rule) bool { return r.ARN == row.ARN }) {
					return nil, priorityInUse(row.Priority)
				}
			}
		}
		for _, row := range changed {
			store.Rules.Put(tx, row)
			out.Rules = append(out.Rules, ruleOrDefault{l, row}.describe())
		}
		return out, nil
	})
}

// withPriorities returns the rules of pairs with their new priorities, sorted,
// and the listener they belong to.
func withPriorities(
	r store.Reader, region identity.Region, pairs []types.RulePriorityPair,
) ([]*store.Rule, *store.Listener, error) {
	var out []*store.Rule
	var of *store.Listener
	for _, pair := range pairs {
		if err := model.Required("rulePriorities.member.priority", pair.Priority != nil); err != nil {
			return nil, nil, err
		}
		if err := model.Between("rulePriorities.member.priority", pair.Priority, 1, maxPriority); err != nil {
			return nil, nil, err
		}
		old, l, err := nonDefaultRule(r, region, pair.RuleArn, "modified")
		if err != nil {
			return nil, nil, err
		}
		if of != nil && of.ARN != l.ARN {
			return nil, nil, invalid("All rules must belong to the same listener")
		}
		of = l
		for _, other := range out {
			switch {
			case other.ARN == old.ARN:
				return nil, nil, invalid("Rule '%s' was provided multiple times", old.ARN)
			case other.Priority == *pair.Priority:
				return nil, nil, invalid("Priority '%d' was provided multiple times", other.Priority)
			}
		}
		row := *old
		row.Priority = *pair.Priority
		out = append(out, &row)
	}
	slices.SortFunc(out, func(a, b *store.Rule) int { return cmp.Compare(a.Priority, b.Priority) })
	return out, of, nil
}

func priorityInUse(priority int32) error {
	return wire.Errorf("PriorityInUse", "Priority '%d' is currently in use", priority)
}
