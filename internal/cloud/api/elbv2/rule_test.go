package elbv2_test

import (
	"strings"
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func fixedResponse(code string) []types.Action {
	return []types.Action{
		{
			Type:                types.ActionTypeEnumFixedResponse,
			FixedResponseConfig: &types.FixedResponseActionConfig{StatusCode: &code},
		},
	}
}

func newRule(l types.Listener, priority int32, conditions ...types.RuleCondition) *elb.CreateRuleInput {
	if len(conditions) == 0 {
		conditions = []types.RuleCondition{pathCondition("/a*")}
	}
	return &elb.CreateRuleInput{
		ListenerArn: l.ListenerArn,
		Priority:    &priority,
		Conditions:  conditions,
		Actions:     fixedResponse("404"),
	}
}

func (w *world) rule(l types.Listener, priority int32, conditions ...types.RuleCondition) types.Rule {
	w.t.Helper()
	return must(w.CreateRule(w.ctx, newRule(l, priority, conditions...)))(w.t).Rules[0]
}

// priorities returns the priorities of the listener's rules in the order of
// DescribeRules.
func (w *world) priorities(l types.Listener) string {
	w.t.Helper()
	var out []string
	for _, r := range must(w.DescribeRules(w.ctx, &elb.DescribeRulesInput{ListenerArn: l.ListenerArn}))(w.t).Rules {
		out = append(out, *r.Priority)
	}
	return strings.Join(out, " ")
}

func TestRulesAreDescribedByPriority(t *testing.T) {
	w := newWorld(t)
	_, _, l := w.forwarding()
	w.rule(l, 100)
	first := w.rule(l, 7)
	w.rule(l, 50000)
	if got := w.priorities(l); got != "7 100 50000 default" {
		t.Errorf("priorities = %s", got)
	}
	if !strings.HasPrefix(*first.RuleArn, strings.Replace(*l.ListenerArn, ":listener/", ":listener-rule/", 1)+"/") ||
		*first.IsDefault {
		t.Errorf("rule = %+v", first)
	}
	page := must(
		w.DescribeRules(w.ctx, &elb.DescribeRulesInput{ListenerArn: l.ListenerArn, PageSize: new(int32(3))}),
	)(t)
	rest := must(
		w.DescribeRules(w.ctx, &elb.DescribeRulesInput{ListenerArn: l.ListenerArn, Marker: page.NextMarker}),
	)(t)
	if len(page.Rules) != 3 || len(rest.Rules) != 1 || *rest.Rules[0].Priority != "default" || rest.NextMarker != nil {
		t.Errorf("pages = %+v, %+v", page, rest)
	}
	_, err := w.DescribeRules(w.ctx, &elb.DescribeRulesInput{RuleArns: []string{*first.RuleArn + "0"}})
	wantError(t, err, "RuleNotFound", "One or more rules not found")
	must(w.DeleteRule(w.ctx, &elb.DeleteRuleInput{RuleArn: first.RuleArn}))(t)
	_, err = w.DeleteRule(w.ctx, &elb.DeleteRuleInput{RuleArn: first.RuleArn})
	wantError(t, err, "RuleNotFound", "One or more rules not found")
	_, err = w.DeleteRule(w.ctx, &elb.DeleteRuleInput{RuleArn: rest.Rules[0].RuleArn})
	wantError(t, err, "OperationNotPermitted", "Default rule")
	must(w.DeleteListener(w.ctx, &elb.DeleteListenerInput{ListenerArn: l.ListenerArn}))(t)
	_, err = w.DescribeRules(w.ctx, &elb.DescribeRulesInput{RuleArns: []string{*page.Rules[1].RuleArn}})
	wantError(t, err, "RuleNotFound", "One or more")
}

func TestModifyRuleKeepsTheRest(t *testing.T) {
	w := newWorld(t)
	_, g, l := w.forwarding()
	r := w.rule(l, 1)
	changed := must(w.ModifyRule(w.ctx, &elb.ModifyRuleInput{
		RuleArn: r.RuleArn, Actions: forward(*g.TargetGroupArn),
	}))(t).Rules[0]
	if *changed.Actions[0].TargetGroupArn != *g.TargetGroupArn || changed.Conditions[0].Values[0] != "/a*" ||
		*changed.Priority != "1" {
		t.Errorf("rule with new actions = %+v", changed)
	}
	changed = must(w.ModifyRule(w.ctx, &elb.ModifyRuleInput{
		RuleArn:    r.RuleArn,
		Conditions: []types.RuleCondition{{Field: new("host-header"), Values: []string{"*.example.com"}}},
	}))(t).Rules[0]
	if *changed.Actions[0].TargetGroupArn != *g.TargetGroupArn || len(changed.Conditions) != 1 ||
		changed.Conditions[0].HostHeaderConfig.Values[0] != "*.example.com" {
		t.Errorf("rule with new conditions = %+v", changed)
	}
	_, err := w.ModifyRule(w.ctx, &elb.ModifyRuleInput{RuleArn: r.RuleArn})
	wantError(t, err, "ValidationError", "Either conditions or actions must be specified")
	_, err = w.ModifyRule(w.ctx, &elb.ModifyRuleInput{
		RuleArn:    r.RuleArn,
		Transforms: []types.RuleTransform{{Type: types.TransformTypeEnumUrlRewrite}},
	})
	wantError(t, err, "NotImplemented", "url-rewrite")
}

func TestRuleUsesTargetGroup(t *testing.T) {
	w := newWorld(t)
	lb, _, l := w.forwarding()
	in := webGroup()
	in.Name = new("api")
	g := must(w.CreateTargetGroup(w.ctx, in))(t).TargetGroups[0]
	create := newRule(l, 1)
	create.Actions = forward(*g.TargetGroupArn)
	r := must(w.CreateRule(w.ctx, create))(t).Rules[0]
	found := must(
		w.DescribeTargetGroups(w.ctx, &elb.DescribeTargetGroupsInput{LoadBalancerArn: lb.LoadBalancerArn}),
	)(t).TargetGroups
	if len(found) != 2 {
		t.Errorf("the load balancer's target groups = %+v, want 2", found)
	}
	w.register(g, "i-1")
	if h := w.health(g)["i-1"]; h.State != "initial" {
		t.Errorf("target health = %+v", h)
	}
	_, err := w.DeleteTargetGroup(w.ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: g.TargetGroupArn})
	wantError(t, err, "ResourceInUse", "in use by a listener or a rule")
	must(w.DeleteRule(w.ctx, &elb.DeleteRuleInput{RuleArn: r.RuleArn}))(t)
	must(w.DeleteTargetGroup(w.ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: g.TargetGroupArn}))(t)
}

func TestRuleQuota(t *testing.T) {
	w := newWorld(t)
	_, _, l := w.forwarding()
	for i := range int32(100) {
		w.rule(l, i+1)
	}
	_, err := w.CreateRule(w.ctx, newRule(l, 101))
	wantError(t, err, "TooManyRules", "'100'")
}

func TestInvalidRulesAreRefused(t *testing.T) {
	w := newWorld(t)
	_, g, l := w.forwarding()
	for _, c := range []struct {
		name       string
		change     func(in *elb.CreateRuleInput)
		code, text string
	}{
		{"no priority", func(in *elb.CreateRuleInput) { in.Priority = nil }, "ValidationError", "priority"},
		{
			"priority 0", func(in *elb.CreateRuleInput) { in.Priority = new(int32(0)) }, "ValidationError",
			"greater than or equal to 1",
		},
		{
			"priority 50001", func(in *elb.CreateRuleInput) { in.Priority = new(int32(50001)) }, "ValidationError",
			"less than or equal to 50000",
		},
		{"no action", func(in *elb.CreateRuleInput) { in.Actions = nil }, "ValidationError", "Value null at 'actions'"},
		{
			"an unknown listener", func(in *elb.CreateRuleInput) { in.ListenerArn = new(*in.ListenerArn + "0") },
			"ListenerNotFound", "One or more listeners not found",
		},
		{
			"an unknown group", func(in *elb.CreateRuleInput) { in.Actions = forward(*g.TargetGroupArn + "0") },
			"TargetGroupNotFound", "One or more",
		},
		{"a transform", func(in *elb.CreateRuleInput) {
			in.Transforms = []types.RuleTransform{{Type: types.TransformTypeEnumHostHeaderRewrite}}
		}, "NotImplemented", "host-header-rewrite"},
		{
			"a wrong answer", func(in *elb.CreateRuleInput) { in.Actions = fixedResponse("302") }, "ValidationError",
			"statusCode",
		},
		{
			"a reserved tag", func(in *elb.CreateRuleInput) { in.Tags = []types.Tag{{Key: new("aws:x")}} },
			"ValidationError", "aws:",
		},
	} {
		in := newRule(l, 1)
		c.change(in)
		_, err := w.CreateRule(w.ctx, in)
		t.Run(c.name, func(t *testing.T) { wantError(t, err, c.code, c.text) })
	}
}
