package elbv2_test

import (
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func TestPortHasOneListener(t *testing.T) {
	w := newWorld(t)
	lb, g, l := w.forwarding()
	in := &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn,
		Port:            new(int32(80)),
		Protocol:        types.ProtocolEnumHttp,
		DefaultActions:  forward(*g.TargetGroupArn),
	}
	if again := must(w.CreateListener(w.ctx, in))(t).Listeners[0]; *again.ListenerArn != *l.ListenerArn {
		t.Error("the same request created another listener")
	}
	in.DefaultActions = []types.Action{
		{
			Type:                types.ActionTypeEnumFixedResponse,
			FixedResponseConfig: &types.FixedResponseActionConfig{StatusCode: new("404")},
		},
	}
	_, err := w.CreateListener(w.ctx, in)
	wantError(t, err, "DuplicateListener", "A listener already exists on this port")
	in.Port = new(int32(81))
	second := must(w.CreateListener(w.ctx, in))(t).Listeners[0]
	_, err = w.ModifyListener(w.ctx, &elb.ModifyListenerInput{ListenerArn: second.ListenerArn, Port: new(int32(80))})
	wantError(t, err, "DuplicateListener", "A listener already exists on this port")
	moved := must(w.ModifyListener(w.ctx, &elb.ModifyListenerInput{
		ListenerArn: second.ListenerArn, Port: new(int32(82)), DefaultActions: forward(*g.TargetGroupArn),
	}))(t).Listeners[0]
	if *moved.Port != 82 || *moved.DefaultActions[0].TargetGroupArn != *g.TargetGroupArn {
		t.Errorf("modified listener = %+v", moved)
	}
	if n := len(must(w.DescribeListeners(w.ctx, &elb.DescribeListenersInput{
		LoadBalancerArn: lb.LoadBalancerArn,
	}))(t).Listeners); n != 2 {
		t.Errorf("load balancer has %d listeners, want 2", n)
	}
}

func TestListenerHasDefaultRule(t *testing.T) {
	w := newWorld(t)
	_, g, l := w.forwarding()
	rules := must(w.DescribeRules(w.ctx, &elb.DescribeRulesInput{ListenerArn: l.ListenerArn}))(t).Rules
	if len(rules) != 1 || !*rules[0].IsDefault || *rules[0].Priority != "default" ||
		*rules[0].Actions[0].TargetGroupArn != *g.TargetGroupArn {
		t.Fatalf("rules = %+v, want the default rule", rules)
	}
	again := must(w.DescribeRules(w.ctx, &elb.DescribeRulesInput{RuleArns: []string{*rules[0].RuleArn}}))(t).Rules
	if len(again) != 1 || *again[0].RuleArn != *rules[0].RuleArn {
		t.Errorf("rules with the default rule's ARN = %+v", again)
	}
	if n := len(must(w.DescribeListenerAttributes(
		w.ctx, &elb.DescribeListenerAttributesInput{ListenerArn: l.ListenerArn},
	))(t).Attributes); n == 0 {
		t.Error("listener has no attributes")
	}
}

func TestInvalidListenersAreRefused(t *testing.T) {
	w := newWorld(t)
	_, g, _ := w.forwarding()
	other := webBalancer()
	other.Name = new("other")
	lb := must(w.CreateLoadBalancer(w.ctx, other))(t).LoadBalancers[0]
	far := webGroup()
	far.Name, far.VpcId = new("far"), new("vpc-2")
	farGroup := must(w.CreateTargetGroup(w.ctx, far))(t).TargetGroups[0]
	redirect := func(r types.RedirectActionConfig) []types.Action {
		return []types.Action{{Type: types.ActionTypeEnumRedirect, RedirectConfig: &r}}
	}
	for _, c := range []struct {
		name       string
		change     func(in *elb.CreateListenerInput)
		code, text string
	}{
		{
			"HTTPS without certificate", func(in *elb.CreateListenerInput) { in.Protocol = types.ProtocolEnumHttps },
			"ValidationError", "A certificate must be specified for HTTPS listeners",
		},
		{"HTTPS", func(in *elb.CreateListenerInput) {
			in.Protocol, in.Certificates = types.ProtocolEnumHttps, []types.Certificate{
				{CertificateArn: new("arn:aws:acm:x")},
			}
		}, "CertificateNotFound", "arn:aws:acm:x"},
		{
			"TCP", func(in *elb.CreateListenerInput) { in.Protocol = types.ProtocolEnumTcp }, "ValidationError",
			"must be one of 'HTTPS, HTTP'",
		},
		{"port 70000", func(in *elb.CreateListenerInput) { in.Port = new(int32(70000)) }, "ValidationError", "65535"},
		{
			"no action", func(in *elb.CreateListenerInput) { in.DefaultActions = nil }, "ValidationError",
			"defaultActions",
		},
		{
			"an unknown group",
			func(in *elb.CreateListenerInput) { in.DefaultActions = forward(*g.TargetGroupArn + "0") },
			"TargetGroupNotFound", "One or more",
		},
		{
			"another balancer's group",
			func(in *elb.CreateListenerInput) { in.DefaultActions = forward(*g.TargetGroupArn) },
			"TargetGroupAssociationLimit", *g.TargetGroupArn,
		},
		{
			"a group of another VPC",
			func(in *elb.CreateListenerInput) { in.DefaultActions = forward(*farGroup.TargetGroupArn) },
			"InvalidConfigurationRequest", "VPC",
		},
		{
			"two answers",
			func(in *elb.CreateListenerInput) {
				in.DefaultActions = append(fixedResponse("200"), fixedResponse("404")...)
			},
			"TooManyActions", "exactly one",
		},
		{"authentication", func(in *elb.CreateListenerInput) {
			in.DefaultActions = []types.Action{{Type: types.ActionTypeEnumAuthenticateOidc}}
		}, "NotImplemented", "authenticate-oidc"},
		{
			"a fixed 302", func(in *elb.CreateListenerInput) { in.DefaultActions = fixedResponse("302") },
			"ValidationError",
			"statusCode",
		},
		{"a redirect to itself", func(in *elb.CreateListenerInput) {
			in.DefaultActions = redirect(types.RedirectActionConfig{
				StatusCode: types.RedirectActionStatusCodeEnumHttp301,
			})
		}, "InvalidLoadBalancerAction", "loop"},
		{"a redirect to the same port and protocol", func(in *elb.CreateListenerInput) {
			in.DefaultActions = redirect(types.RedirectActionConfig{
				StatusCode: types.RedirectActionStatusCodeEnumHttp301, Protocol: new("HTTP"), Port: new("80"),
			})
		}, "InvalidLoadBalancerAction", "loop"},
		{"a redirect with 303", func(in *elb.CreateListenerInput) {
			in.DefaultActions = redirect(types.RedirectActionConfig{StatusCode: "HTTP_303", Protocol: new("HTTPS")})
		}, "ValidationError", "HTTP_303"},
	} {
		in := &elb.CreateListenerInput{
			LoadBalancerArn: lb.LoadBalancerArn,
			Port:            new(int32(80)),
			Protocol:        types.ProtocolEnumHttp,
			DefaultActions:  fixedResponse("200"),
		}
		c.change(in)
		_, err := w.CreateListener(w.ctx, in)
		t.Run(c.name, func(t *testing.T) { wantError(t, err, c.code, c.text) })
	}
}

func TestRedirectDefaultsAreDescribed(t *testing.T) {
	w := newWorld(t)
	lb := w.balancer()
	l := must(w.CreateListener(w.ctx, &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Port: new(int32(80)), Protocol: types.ProtocolEnumHttp,
		DefaultActions: []types.Action{
			{
				Type: types.ActionTypeEnumRedirect,
				RedirectConfig: &types.RedirectActionConfig{
					StatusCode: types.RedirectActionStatusCodeEnumHttp301, Protocol: new("HTTPS"), Port: new("443"),
				},
			},
		},
	}))(t).Listeners[0]
	r := l.DefaultActions[0].RedirectConfig
	if *r.Host != "#{host}" || *r.Path != "/#{path}" || *r.Query != "#{query}" || *r.Protocol != "HTTPS" {
		t.Errorf("redirect = %+v", r)
	}
}
