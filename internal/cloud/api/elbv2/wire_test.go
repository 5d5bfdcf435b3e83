package elbv2_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/wire"
	"aloft.dev/aloft/internal/cloud/wire/wiretest"
)

// client serves the API and returns an SDK client for it.
func (w *world) client() *elb.Client {
	w.t.Helper()
	return elb.NewFromConfig(wiretest.Serve(w.t, testRegion, wire.Service{Name: "elasticloadbalancing", API: w.API}))
}

func TestSDKClient(t *testing.T) {
	client := newWorld(t).client()
	ctx := context.Background()
	lb := must(client.CreateLoadBalancer(ctx, webBalancer()))(t).LoadBalancers[0]
	group := must(client.CreateTargetGroup(ctx, webGroup()))(t).TargetGroups[0]
	must(client.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Port: new(int32(80)), Protocol: types.ProtocolEnumHttp,
		DefaultActions: forward(*group.TargetGroupArn),
	}))(t)
	must(client.RegisterTargets(
		ctx,
		&elb.RegisterTargetsInput{TargetGroupArn: group.TargetGroupArn, Targets: targets("i-1", "i-2", "i-3")},
	))(t)
	health := must(
		client.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: group.TargetGroupArn}),
	)(t)
	if len(health.TargetHealthDescriptions) != 3 ||
		health.TargetHealthDescriptions[0].TargetHealth.State != types.TargetHealthStateEnumInitial {
		t.Errorf("target health = %+v", health.TargetHealthDescriptions)
	}
	attributes := must(client.DescribeLoadBalancerAttributes(
		ctx,
		&elb.DescribeLoadBalancerAttributesInput{LoadBalancerArn: lb.LoadBalancerArn},
	))(t)
	if len(attributes.Attributes) < 20 {
		t.Errorf("attributes = %+v", attributes.Attributes)
	}
	must(client.DescribeCapacityReservation(
		ctx,
		&elb.DescribeCapacityReservationInput{LoadBalancerArn: lb.LoadBalancerArn},
	))(t)
	_, err := client.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{Names: []string{"none"}})
	if _, ok := errors.AsType[*types.TargetGroupNotFoundException](err); !ok {
		t.Errorf("error = %v, want TargetGroupNotFoundException", err)
	}
}

func TestRulesOverTheWire(t *testing.T) {
	w := newWorld(t)
	_, g, l := w.forwarding()
	client, ctx := w.client(), context.Background()
	in := newRule(
		l,
		10,
		pathCondition("/a&b/*"),
		types.RuleCondition{
			Field:            new("host-header"),
			HostHeaderConfig: &types.HostHeaderConditionConfig{RegexValues: []string{`^a\.(b|c)$`}},
		},
		types.RuleCondition{
			Field: new("query-string"),
			QueryStringConfig: &types.QueryStringConditionConfig{
				Values: []types.QueryStringKeyValuePair{{Key: new("k"), Value: new("v")}, {Value: new("w")}},
			},
		},
		types.RuleCondition{
			Field:            new("http-header"),
			HttpHeaderConfig: &types.HttpHeaderConditionConfig{HttpHeaderName: new("X-A"), Values: []string{"a*"}},
		},
	)
	in.Tags = []types.Tag{{Key: new("a"), Value: new("b")}}
	in.Actions = []types.Action{{Type: types.ActionTypeEnumForward, ForwardConfig: &types.ForwardActionConfig{
		TargetGroups: []types.TargetGroupTuple{
			{TargetGroupArn: g.TargetGroupArn, Weight: new(int32(3))},
		},
		TargetGroupStickinessConfig: &types.TargetGroupStickinessConfig{
			Enabled:         new(true),
			DurationSeconds: new(int32(30)),
		},
	}}}
	made := must(client.CreateRule(ctx, in))(t).Rules[0]
	described := must(client.DescribeRules(ctx, &elb.DescribeRulesInput{ListenerArn: l.ListenerArn}))(t).Rules
	if len(described) != 2 || *described[0].RuleArn != *made.RuleArn || len(described[0].Conditions) != 4 {
		t.Fatalf("rules = %+v", described)
	}
	for i, c := range in.Conditions {
		described[0].Conditions[i].Values = nil
		got, want := fmt.Sprint(conditionValues(described[0].Conditions[i])), fmt.Sprint(conditionValues(c))
		if got != want {
			t.Errorf("condition = %s, want %s", got, want)
		}
	}
	if f := described[0].Actions[0].ForwardConfig; *f.TargetGroups[0].Weight != 3 ||
		*f.TargetGroupStickinessConfig.DurationSeconds != 30 {
		t.Errorf("forward action = %+v", f)
	}
	must(client.ModifyRule(ctx, &elb.ModifyRuleInput{RuleArn: made.RuleArn, Actions: fixedResponse("503")}))(t)
	moved := must(client.SetRulePriorities(ctx, &elb.SetRulePrioritiesInput{
		RulePriorities: []types.RulePriorityPair{{RuleArn: made.RuleArn, Priority: new(int32(11))}},
	}))(t).Rules
	if len(moved) != 1 || *moved[0].Priority != "11" || moved[0].Actions[0].FixedResponseConfig == nil {
		t.Errorf("rules = %+v", moved)
	}
	_, err := client.CreateRule(ctx, newRule(l, 11))
	if _, ok := errors.AsType[*types.PriorityInUseException](err); !ok {
		t.Errorf("error = %v, want PriorityInUseException", err)
	}
	tags := must(
		client.DescribeTags(ctx, &elb.DescribeTagsInput{ResourceArns: []string{*made.RuleArn}}),
	)(t).TagDescriptions
	if len(tags) != 1 || *tags[0].Tags[0].Value != "b" {
		t.Errorf("tags = %+v", tags)
	}
	must(client.ModifyListenerAttributes(
		ctx,
		&elb.ModifyListenerAttributesInput{ListenerArn: l.ListenerArn, Attributes: []types.ListenerAttribute{
			{
				Key:   new("routing.http.response.strict_transport_security.header_value"),
				Value: new("max-age=31536000; includeSubDomains"),
			},
		}},
	))(t)
	must(client.DeleteRule(ctx, &elb.DeleteRuleInput{RuleArn: made.RuleArn}))(t)
	_, err = client.DeleteRule(ctx, &elb.DeleteRuleInput{RuleArn: described[1].RuleArn})
	if _, ok := errors.AsType[*types.OperationNotPermittedException](err); !ok {
		t.Errorf("error = %v, want OperationNotPermittedException", err)
	}
}
