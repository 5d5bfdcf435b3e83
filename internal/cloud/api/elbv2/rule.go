package elbv2

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// defaultRule returns the ARN of a listener's default rule. The rule has no row:
// its actions are the listener's default actions.
func defaultRule(l *store.Listener) string {
	sum := sha256.Sum256([]byte(l.ARN))
	return strings.Replace(l.ARN, ":listener/", ":listener-rule/", 1) + "/" + hex.EncodeToString(sum[:8])
}

// ruleOrDefault is a listener's rule, possibly its default rule.
type ruleOrDefault struct {
	listener *store.Listener
	row      *store.Rule // nil: the default rule
}

func (r ruleOrDefault) arn() string {
	if r.row == nil {
		return defaultRule(r.listener)
	}
	return r.row.ARN
}

// sortKey sorts rules in the order of DescribeRules: by priority, the default
// rule last.
func (r ruleOrDefault) sortKey() string {
	priority := math.MaxInt32
	if r.row != nil {
		priority = int(r.row.Priority)
	}
	return fmt.Sprintf("%010d %s", priority, r.arn())
}

func (r ruleOrDefault) describe() types.Rule {
	if r.row == nil {
		return types.Rule{
			RuleArn: new(defaultRule(r.listener)), Priority: new("default"), IsDefault: new(true),
			Actions: describeActions(r.listener.Actions), Conditions: []types.RuleCondition{},
		}
	}
	return types.Rule{
		RuleArn: new(r.row.ARN), Priority: new(strconv.Itoa(int(r.row.Priority))), IsDefault: new(false),
		Actions: describeActions(r.row.Actions), Conditions: describeConditions(r.row.Conditions),
	}
}

// rulesOf returns all rules of the listener.
func rulesOf(r store.Reader, l *store.Listener) []ruleOrDefault {
	out := []ruleOrDefault{{listener: l}}
	for _, row := range store.RulesByListener.List(r, l.ARN) {
		out = append(out, ruleOrDefault{l, row})
	}
	return out
}

// findRule returns the rule with the ARN.
func findRule(r store.Reader, region identity.Region, arn *string) (ruleOrDefault, error) {
	missing := ruleNotFound()
	if err := model.Required("ruleArn", arn != nil); err != nil {
		return ruleOrDefault{}, err
	}
	if row, ok := store.Rules.Get(r, *arn); ok && row.Region == region {
		l, ok := store.Listeners.Get(r, row.ListenerARN)
		if !ok {
			return ruleOrDefault{}, missing
		}
		return ruleOrDefault{l, row}, nil
	}
	for _, l := range store.Listeners.InRegion(r, region) {
		if defaultRule(l) == *arn {
			return ruleOrDefault{listener: l}, nil
		}
	}
	return ruleOrDefault{}, missing
}

// nonDefaultRule returns the rule with the ARN and its listener. It refuses
// default rules with an error that says what they cannot be, such as "deleted".
func nonDefaultRule(
	r store.Reader, region identity.Region, arn *string, what string,
) (*store.Rule, *store.Listener, error) {
	found, err := findRule(r, region, arn)
	if err != nil {
		return nil, nil, err
	}
	if found.row == nil {
		return nil, nil, wire.Errorf("OperationNotPermitted", "Default rule '%s' cannot be %s", *arn, what)
	}
	return found.row, found.listener, nil
}

func refuseTransforms(given []types.RuleTransform) error {
	if len(given) == 0 {
		return nil
	}
	return wire.NotImplemented("transforms of type %s", given[0].Type)
}

// CreateRule adds a rule to a listener.
func (a *API) CreateRule(ctx context.Context, in *elb.CreateRuleInput) (*elb.CreateRuleOutput, error) {
	if err := model.Required("priority", in.Priority != nil); err != nil {
		return nil, err
	}
	if err := model.Between("priority", in.Priority, 1, maxPriority); err != nil {
		return nil, err
	}
	if err := refuseTransforms(in.Transforms); err != nil {
		return nil, err
	}
	conditions, err := readConditions(in.Conditions)
	if err != nil {
		return nil, err
	}
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	return update(a, func(tx *store.Tx) (*elb.CreateRuleOutput, error) {
		l, err := listener(tx, wire.RegionFrom(ctx), in.ListenerArn)
		if err != nil {
			return nil, err
		}
		lb, err := loadBalancer(tx, wire.RegionFrom(ctx), &l.LoadBalancerARN)
		if err != nil {
			return nil, err
		}
		if lb.IsNetwork() {
			return nil, wire.Errorf(
				"InvalidConfigurationRequest",
				"Rules are not supported for listeners of load balancers of type 'network'",
			)
		}
		actions, err := a.readActions(tx, lb, "actions", in.Actions)
		if err != nil {
			return nil, err
		}
		if err := checkActions(tx, l, actions); err != nil {
			return nil, err
		}
		for _, old := range store.RulesByListener.List(tx, l.ARN) {
			if old.Priority == *in.Priority {
				return nil, priorityInUse(old.Priority)
			}
		}
		if err := a.limitRules(countRules(tx, lb)); err != nil {
			return nil, err
		}
		row := &store.Rule{
			ARN:         strings.Replace(l.ARN, ":listener/", ":listener-rule/", 1) + "/" + a.ids.Hex(16),
			Region:      l.Region,
			ListenerARN: l.ARN,
			Priority:    *in.Priority,
			Conditions:  conditions,
			Actions:     actions,
			Tags:        tags,
		}
		store.Rules.Put(tx, row)
		return &elb.CreateRuleOutput{Rules: []types.Rule{ruleOrDefault{l, row}.describe()}}, nil
	})
}

func countRules(r store.Reader, lb *store.LoadBalancer) int {
	n := 0
	for _, l := range store.ListenersByLoadBalancer.List(r, lb.ARN) {
		n += len(store.RulesByListener.List(r, l.ARN))
	}
	return n
}

// ModifyRule replaces a rule's conditions, actions or both. What the request
// leaves out is unchanged.
func (a *API) ModifyRule(ctx context.Context, in *elb.ModifyRuleInput) (*elb.ModifyRuleOutput, error) {
	if err := refuseTransforms(in.Transforms); err != nil {
		return nil, err
	}
	reset := aws.ToBool(in.ResetTransforms) // a no-op, since no rule has transforms
	if len(in.Conditions) == 0 && len(in.Actions) == 0 && !reset {
		return nil, invalid("Either conditions or actions must be specified")
	}
	return update(a, func(tx *store.Tx) (*elb.ModifyRuleOutput, error) {
		old, l, err := nonDefaultRule(tx, wire.RegionFrom(ctx), in.RuleArn, "modified")
		if err != nil {
			return nil, err
		}
		row := *old
		if len(in.Conditions) > 0 {
			if row.Conditions, err = readConditions(in.Conditions); err != nil {
				return nil, err
			}
		}
		if len(in.Actions) > 0 {
			lb, err := loadBalancer(tx, wire.RegionFrom(ctx), &l.LoadBalancerARN)
			if err != nil {
				return nil, err
			}
			if row.Actions, err = a.readActions(tx, lb, "actions", in.Actions); err != nil {
				return nil, err
			}
			if err := checkActions(tx, l, row.Actions); err != nil {
				return nil, err
			}
		}
		store.Rules.Put(tx, &row)
		return &elb.ModifyRuleOutput{Rules: []types.Rule{ruleOrDefault{l, &row}.describe()}}, nil
	})
}

// DeleteRule deletes a rule. A default rule cannot be deleted.
func (a *API) DeleteRule(ctx context.Context, in *elb.DeleteRuleInput) (*elb.DeleteRuleOutput, error) {
	return &elb.DeleteRuleOutput{}, a.store.Update(func(tx *store.Tx) error {
		row, _, err := nonDefaultRule(tx, wire.RegionFrom(ctx), in.RuleArn, "deleted")
		if err != nil {
			return err
		}
		store.Rules.Delete(tx, row.ARN)
		return nil
	})
}

// DescribeRules describes the rules of a listener in the order in which they are
// evaluated, or those with the given ARNs.
func (a *API) DescribeRules(ctx context.Context, in *elb.DescribeRulesInput) (*elb.DescribeRulesOutput, error) {
	view := a.store.Read(ctx)
	var rules []ruleOrDefault
	switch {
	case in.ListenerArn != nil && len(in.RuleArns) > 0:
		return nil, invalid("You cannot specify both a listener ARN and rule ARNs")
	case in.ListenerArn != nil:
		l, err := listener(view, wire.RegionFrom(ctx), in.ListenerArn)
		if err != nil {
			return nil, err
		}
		rules = rulesOf(view, l)
	case len(in.RuleArns) > 0:
		for _, arn := range in.RuleArns {
			found, err := findRule(view, wire.RegionFrom(ctx), &arn)
			if err != nil {
				return nil, err
			}
			rules = append(rules, found)
		}
	default:
		return nil, invalid("You must specify either listener rule ARNs or a listener ARN")
	}
	rules, next, err := paginate(rules, ruleOrDefault.sortKey, in.PageSize, in.Marker)
	if err != nil {
		return nil, err
	}
	out := &elb.DescribeRulesOutput{Rules: []types.Rule{}, NextMarker: next}
	for _, r := range rules {
		out.Rules = append(out.Rules, r.describe())
	}
	return out, nil
}
