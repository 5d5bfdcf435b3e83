package elbv2_test

import (
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func TestSetRulePriorities(t *testing.T) {
	w := newWorld(t)
	_, _, l := w.forwarding()
	one, two := w.rule(l, 1), w.rule(l, 2)
	_, err := w.CreateRule(w.ctx, newRule(l, 2))
	wantError(t, err, "PriorityInUse", "Priority '2' is currently in use")
	set := func(pairs ...types.RulePriorityPair) error {
		_, err := w.SetRulePriorities(w.ctx, &elb.SetRulePrioritiesInput{RulePriorities: pairs})
		return err
	}
	pair := func(r types.Rule, priority int32) types.RulePriorityPair {
		return types.RulePriorityPair{RuleArn: r.RuleArn, Priority: &priority}
	}
	if err := set(pair(one, 2), pair(two, 1)); err != nil {
		t.Fatal(err)
	}
	rules := must(w.DescribeRules(w.ctx, &elb.DescribeRulesInput{ListenerArn: l.ListenerArn}))(t).Rules
	if *rules[0].RuleArn != *two.RuleArn || *rules[1].RuleArn != *one.RuleArn {
		t.Errorf("rules = %+v", rules)
	}
	wantError(t, set(pair(one, 1)), "PriorityInUse", "Priority '1' is currently in use")
	wantError(t, set(pair(one, 5), pair(two, 5)), "ValidationError", "Priority '5' was provided multiple times")
	wantError(t, set(pair(one, 5), pair(one, 6)), "ValidationError", "multiple times")
	wantError(t, set(pair(one, 50001)), "ValidationError", "50000")
	wantError(t, set(pair(rules[2], 5)), "OperationNotPermitted", "Default rule")
	wantError(t, set(), "ValidationError", "rulePriorities")
	other := must(w.CreateListener(w.ctx, &elb.CreateListenerInput{
		LoadBalancerArn: l.LoadBalancerArn, Port: new(int32(81)), Protocol: types.ProtocolEnumHttp,
		DefaultActions: fixedResponse("404"),
	}))(t).Listeners[0]
	wantError(t, set(pair(one, 5), pair(w.rule(other, 1), 6)), "ValidationError", "same listener")
	if got := w.priorities(l); got != "1 2 default" {
		t.Errorf("priorities = %s", got)
	}
}
