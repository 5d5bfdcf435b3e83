package elbv2_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func fixed(code string) []types.Action {
	return []types.Action{
		{
			Type:                types.ActionTypeEnumFixedResponse,
			FixedResponseConfig: &types.FixedResponseActionConfig{StatusCode: &code},
		},
	}
}

func path(values ...string) types.RuleCondition {
	return types.RuleCondition{
		Field:             new("path-pattern"),
		PathPatternConfig: &types.PathPatternConditionConfig{Values: values},
	}
}

func newRule(l types.Listener, priority int32, conditions ...types.RuleCondition) *elb.CreateRuleInput {
	if len(conditions) == 0 {
		conditions = []types.RuleCondition{path("/a*")}
	}
	return &elb.CreateRuleInput{
		ListenerArn: l.ListenerArn,
		Priority:    &priority,
		Conditions:  conditions,
		Actions:     fixed("404"),
	}
}

func (w *world) rule(l types.Listener, priority int32, conditions ...types.RuleCondition) types.Rule {
	w.t.Helper()
	return must(w.CreateRule(w.ctx, newRule(l, priority, conditions...)))(w.t).Rules[0]
}

// priorities tells the rules of the listener in the order of DescribeRules.
func (w *world) priorities(l types.Listener) string {
	w.t.Helper()
	var out []string
	for _, r := range must(w.DescribeRules(w.ctx, &elb.DescribeRulesInput{ListenerArn: l.ListenerArn}))(w.t).Rules {
		out = append(out, *r.Priority)
	}
	return strings.Join(out, " ")
}

func TestRulesAreToldInTheirOrder(t *testing.T) {
	w := newWorld(t)
	_, _, l := w.inUse()
	w.rule(l, 100)
	first := w.rule(l, 7)
	w.rule(l, 50000)
	if got := w.priorities(l); got != "7 100 50000 default" {
		t.Error(got)
	}
	if !strings.HasPrefix(*first.RuleArn, strings.Replace(*l.ListenerArn, ":listener/", ":listener-rule/", 1)+"/") ||
		*first.IsDefault {
		t.Errorf("%+v", first)
	}
	page := must(
		w.DescribeRules(w.ctx, &elb.DescribeRulesInput{ListenerArn: l.ListenerArn, PageSize: new(int32(3))}),
	)(
		t,
	)
	rest := must(
		w.DescribeRules(w.ctx, &elb.DescribeRulesInput{ListenerArn: l.ListenerArn, Marker: page.NextMarker}),
	)(
		t,
	)
	if len(page.Rules) != 3 || len(rest.Rules) != 1 || *rest.Rules[0].Priority != "default" || rest.NextMarker != nil {
		t.Errorf("%+v, %+v", page, rest)
	}
	_, err := w.DescribeRules(w.ctx, &elb.DescribeRulesInput{RuleArns: []string{*first.RuleArn + "0"}})
	refused(t, err, "RuleNotFound", "One or more rules not found")
	must(w.DeleteRule(w.ctx, &elb.DeleteRuleInput{RuleArn: first.RuleArn}))(t)
	_, err = w.DeleteRule(w.ctx, &elb.DeleteRuleInput{RuleArn: first.RuleArn})
	refused(t, err, "RuleNotFound", "One or more rules not found")
	_, err = w.DeleteRule(w.ctx, &elb.DeleteRuleInput{RuleArn: rest.Rules[0].RuleArn})
	refused(t, err, "OperationNotPermitted", "Default rule")
	must(w.DeleteListener(w.ctx, &elb.DeleteListenerInput{ListenerArn: l.ListenerArn}))(t)
	_, err = w.DescribeRules(w.ctx, &elb.DescribeRulesInput{RuleArns: []string{*page.Rules[1].RuleArn}})
	refused(t, err, "RuleNotFound", "One or more")
}

func TestPrioritiesAreUniqueAndCanChangePlaces(t *testing.T) {
	w := newWorld(t)
	_, _, l := w.inUse()
	one, two := w.rule(l, 1), w.rule(l, 2)
	_, err := w.CreateRule(w.ctx, newRule(l, 2))
	refused(t, err, "PriorityInUse", "Priority '2' is currently in use")
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
		t.Errorf("%+v", rules)
	}
	refused(t, set(pair(one, 1)), "PriorityInUse", "Priority '1' is currently in use")
	refused(t, set(pair(one, 5), pair(two, 5)), "ValidationError", "Priority '5' was provided multiple times")
	refused(t, set(pair(one, 5), pair(one, 6)), "ValidationError", "multiple times")
	refused(t, set(pair(one, 50001)), "ValidationError", "50000")
	refused(t, set(pair(rules[2], 5)), "OperationNotPermitted", "Default rule")
	refused(t, set(), "ValidationError", "rulePriorities")
	other := must(w.CreateListener(w.ctx, &elb.CreateListenerInput{LoadBalancerArn: l.LoadBalancerArn, Port: new(int32(81)), Protocol: types.ProtocolEnumHttp, DefaultActions: fixed("404")}))(t).Listeners[0]
	refused(t, set(pair(one, 5), pair(w.rule(other, 1), 6)), "ValidationError", "same listener")
	if got := w.priorities(l); got != "1 2 default" {
		t.Error(got)
	}
}

func TestARuleIsModifiedInParts(t *testing.T) {
	w := newWorld(t)
	_, g, l := w.inUse()
	r := w.rule(l, 1)
	changed := must(w.ModifyRule(w.ctx, &elb.ModifyRuleInput{RuleArn: r.RuleArn, Actions: forward(*g.TargetGroupArn)}))(t).Rules[0]
	if *changed.Actions[0].TargetGroupArn != *g.TargetGroupArn || changed.Conditions[0].Values[0] != "/a*" ||
		*changed.Priority != "1" {
		t.Errorf("%+v", changed)
	}
	changed = must(w.ModifyRule(w.ctx, &elb.ModifyRuleInput{RuleArn: r.RuleArn, Conditions: []types.RuleCondition{{Field: new("host-header"), Values: []string{"*.example.com"}}}}))(t).Rules[0]
	if *changed.Actions[0].TargetGroupArn != *g.TargetGroupArn || len(changed.Conditions) != 1 ||
		changed.Conditions[0].HostHeaderConfig.Values[0] != "*.example.com" {
		t.Errorf("%+v", changed)
	}
	_, err := w.ModifyRule(w.ctx, &elb.ModifyRuleInput{RuleArn: r.RuleArn})
	refused(t, err, "ValidationError", "Either conditions or actions must be specified")
	_, err = w.ModifyRule(
		w.ctx,
		&elb.ModifyRuleInput{
			RuleArn:    r.RuleArn,
			Transforms: []types.RuleTransform{{Type: types.TransformTypeEnumUrlRewrite}},
		},
	)
	refused(t, err, "NotImplemented", "url-rewrite")
}

func TestATargetGroupOfARuleIsInUse(t *testing.T) {
	w := newWorld(t)
	lb, _, l := w.inUse()
	in := webGroup()
	in.Name = new("api")
	g := must(w.CreateTargetGroup(w.ctx, in))(t).TargetGroups[0]
	create := newRule(l, 1)
	create.Actions = forward(*g.TargetGroupArn)
	r := must(w.CreateRule(w.ctx, create))(t).Rules[0]
	found := must(
		w.DescribeTargetGroups(w.ctx, &elb.DescribeTargetGroupsInput{LoadBalancerArn: lb.LoadBalancerArn}),
	)(
		t,
	).TargetGroups
	if len(found) != 2 {
		t.Errorf("%+v", found)
	}
	must(
		w.RegisterTargets(w.ctx, &elb.RegisterTargetsInput{TargetGroupArn: g.TargetGroupArn, Targets: targets("i-1")}),
	)(
		t,
	)
	if h := w.health(g)["i-1"]; h.State != "initial" {
		t.Errorf("%+v", h)
	}
	_, err := w.DeleteTargetGroup(w.ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: g.TargetGroupArn})
	refused(t, err, "ResourceInUse", "in use by a listener or a rule")
	must(w.DeleteRule(w.ctx, &elb.DeleteRuleInput{RuleArn: r.RuleArn}))(t)
	must(w.DeleteTargetGroup(w.ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: g.TargetGroupArn}))(t)
}

func TestALoadBalancerHasAHundredRulesAtMost(t *testing.T) {
	w := newWorld(t)
	_, _, l := w.inUse()
	for i := range int32(100) {
		w.rule(l, i+1)
	}
	_, err := w.CreateRule(w.ctx, newRule(l, 101))
	refused(t, err, "TooManyRules", "'100'")
}

func TestRulesAreTagged(t *testing.T) {
	w := newWorld(t)
	_, _, l := w.inUse()
	in := newRule(l, 1)
	in.Tags = []types.Tag{{Key: new("a"), Value: new("1")}}
	r := must(w.CreateRule(w.ctx, in))(t).Rules[0]
	must(
		w.AddTags(
			w.ctx,
			&elb.AddTagsInput{ResourceArns: []string{*r.RuleArn}, Tags: []types.Tag{{Key: new("b"), Value: new("2")}}},
		),
	)(
		t,
	)
	must(w.RemoveTags(w.ctx, &elb.RemoveTagsInput{ResourceArns: []string{*r.RuleArn}, TagKeys: []string{"a"}}))(t)
	tags := must(w.DescribeTags(w.ctx, &elb.DescribeTagsInput{ResourceArns: []string{*r.RuleArn}}))(t).TagDescriptions[0].Tags
	if len(tags) != 1 || *tags[0].Key != "b" {
		t.Errorf("%+v", tags)
	}
	_, err := w.DescribeTags(w.ctx, &elb.DescribeTagsInput{ResourceArns: []string{*r.RuleArn + "0"}})
	refused(t, err, "RuleNotFound", "One or more rules not found")
}

func TestEveryConditionIsToldAsItWasGiven(t *testing.T) {
	w := newWorld(t)
	_, _, l := w.inUse()
	regex := func(v ...string) *types.PathPatternConditionConfig {
		return &types.PathPatternConditionConfig{RegexValues: v}
	}
	for i, c := range []types.RuleCondition{
		{Field: new("host-header"), HostHeaderConfig: &types.HostHeaderConditionConfig{Values: []string{"*.example.com", "test-1.example.*"}}},
		{Field: new("host-header"), HostHeaderConfig: &types.HostHeaderConditionConfig{RegexValues: []string{`^example\.com:8443$`}}},
		path("/img/*", `/~a_b-c.d$e"f'g@h:i+j&k?`),
		{Field: new("path-pattern"), PathPatternConfig: regex(`^/[a-z]{2}(-[A-Z]{2})?/`)},
		{Field: new("http-header"), HttpHeaderConfig: &types.HttpHeaderConditionConfig{HttpHeaderName: new("User-Agent"), Values: []string{"*Chrome*", "Safari (x; y)"}}},
		{Field: new("http-request-method"), HttpRequestMethodConfig: &types.HttpRequestMethodConditionConfig{Values: []string{"GET", "CUSTOM-METHOD"}}},
		{Field: new("query-string"), QueryStringConfig: &types.QueryStringConditionConfig{Values: []types.QueryStringKeyValuePair{{Key: new("version"), Value: new("v1")}, {Value: new("*example*")}}}},
		{Field: new("source-ip"), SourceIpConfig: &types.SourceIpConditionConfig{Values: []string{"192.0.2.0/24", "2001:db8::/32"}}},
	} {
		got := w.rule(l, int32(i+1), c).Conditions
		if len(got) != 1 {
			t.Fatalf("%+v", got)
		}
		values := got[0].Values
		got[0].Values = nil
		if fmt.Sprintf("%+v", flat(got[0])) != fmt.Sprintf("%+v", flat(c)) {
			t.Errorf("%+v", flat(got[0]))
		}
		if twice := *c.Field == "host-header" || *c.Field == "path-pattern"; !twice && values != nil ||
			*c.Field == "path-pattern" && !slices.Equal(values, c.PathPatternConfig.Values) {
			t.Errorf("%s: values %v", *c.Field, values)
		}
	}
}

// flat shows what a condition's pointers point to.
func flat(c types.RuleCondition) []any {
	out := []any{*c.Field, c.Values}
	if v := c.HostHeaderConfig; v != nil {
		out = append(out, v.Values, v.RegexValues)
	}
	if v := c.PathPatternConfig; v != nil {
		out = append(out, v.Values, v.RegexValues)
	}
	if v := c.HttpHeaderConfig; v != nil {
		out = append(out, *v.HttpHeaderName, v.Values, v.RegexValues)
	}
	if v := c.HttpRequestMethodConfig; v != nil {
		out = append(out, v.Values)
	}
	if v := c.SourceIpConfig; v != nil {
		out = append(out, v.Values)
	}
	if v := c.QueryStringConfig; v != nil {
		for _, p := range v.Values {
			if p.Key != nil {
				out = append(out, *p.Key)
			}
			out = append(out, "=", *p.Value)
		}
	}
	return out
}
