package elbv2_test

import (
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// albGroup is a target group of type alb.
func albGroup() *elb.CreateTargetGroupInput {
	in := networkGroup(types.ProtocolEnumTcp)
	in.Name, in.TargetType, in.Port = new("web-balancer"), types.TargetTypeEnumAlb, new(int32(80))
	return in
}

func TestApplicationLoadBalancersAsTargets(t *testing.T) {
	w := newWorld(t)
	lb, _, listener := w.forwarding()
	g := must(w.CreateTargetGroup(w.ctx, albGroup()))(t).TargetGroups[0]
	if g.TargetType != types.TargetTypeEnumAlb || g.HealthCheckProtocol != types.ProtocolEnumHttp ||
		*g.HealthCheckPath != "/" || *g.Matcher.HttpCode != "200-399" || *g.HealthCheckTimeoutSeconds != 6 {
		t.Errorf("target group = %+v", g)
	}
	register := func(id string, port int32) error {
		_, err := w.RegisterTargets(w.ctx, &elb.RegisterTargetsInput{
			TargetGroupArn: g.TargetGroupArn, Targets: []types.TargetDescription{{Id: &id, Port: &port}},
		})
		return err
	}
	network := must(w.CreateLoadBalancer(w.ctx, networkBalancer()))(t).LoadBalancers[0]
	far := webBalancer()
	far.Name, far.Subnets, far.SecurityGroups = new("far"), []string{"subnet-x", "subnet-y"}, []string{"sg-other"}
	far.Scheme = types.LoadBalancerSchemeEnumInternal
	other := must(w.CreateLoadBalancer(w.ctx, far))(t).LoadBalancers[0]
	for _, c := range []struct {
		id         string
		port       int32
		code, text string
	}{
		{"i-1", 80, "InvalidTarget", "not valid Application Load Balancers"},
		{*network.LoadBalancerArn, 80, "InvalidTarget", "not valid Application Load Balancers"},
		{*other.LoadBalancerArn, 80, "InvalidTarget", "not in the target group VPC"},
		{*lb.LoadBalancerArn, 81, "ValidationError", "at least one listener that matches"},
	} {
		wantError(t, register(c.id, c.port), c.code, c.text)
	}
	w.register(g, *lb.LoadBalancerArn)
	w.register(g, *lb.LoadBalancerArn) // again

	second := httpsInput(lb, 0)
	second.Protocol, second.Certificates, second.Port = types.ProtocolEnumHttp, nil, new(int32(81))
	must(w.CreateListener(w.ctx, second))(t)
	wantError(t, register(*lb.LoadBalancerArn, 81), "TooManyTargets", "one Application Load Balancer")

	remove := func() error {
		_, err := w.DeleteLoadBalancer(w.ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: lb.LoadBalancerArn})
		return err
	}
	wantError(t, remove(), "ResourceInUse", "currently associated with another service")
	_, err := w.DeleteListener(w.ctx, &elb.DeleteListenerInput{ListenerArn: listener.ListenerArn})
	wantError(t, err, "ResourceInUse", "Listener port '80' is in use by registered target '"+*lb.LoadBalancerArn)
	_, err = w.ModifyListener(
		w.ctx, &elb.ModifyListenerInput{ListenerArn: listener.ListenerArn, Port: new(int32(82))},
	)
	wantError(t, err, "ResourceInUse", "Listener port '80'")
	w.deregister(g, *lb.LoadBalancerArn)
	if err := remove(); err != nil {
		t.Error(err)
	}
}

func TestTargetGroupsOfApplicationLoadBalancers(t *testing.T) {
	w := newWorld(t)
	in := albGroup()
	in.Protocol = types.ProtocolEnumHttp
	_, err := w.CreateTargetGroup(w.ctx, in)
	wantError(t, err, "ValidationError", "Protocol 'HTTP'")
	in = albGroup()
	in.HealthCheckProtocol = types.ProtocolEnumTcp
	_, err = w.CreateTargetGroup(w.ctx, in)
	wantError(t, err, "ValidationError", "'HTTP, HTTPS'")

	g := must(w.CreateTargetGroup(w.ctx, albGroup()))(t).TargetGroups[0]
	_, err = w.ModifyTargetGroupAttributes(w.ctx, &elb.ModifyTargetGroupAttributesInput{
		TargetGroupArn: g.TargetGroupArn,
		Attributes:     []types.TargetGroupAttribute{{Key: new("stickiness.enabled"), Value: new("true")}},
	})
	wantError(t, err, "InvalidConfigurationRequest", "'alb'")
	row, _ := store.TargetGroups.Get(w.store.View(), *g.TargetGroupArn)
	if row.Attributes["preserve_client_ip.enabled"] != "true" {
		t.Errorf("attributes = %v", row.Attributes)
	}
	lb := must(w.CreateLoadBalancer(w.ctx, networkBalancer()))(t).LoadBalancers[0]
	must(w.CreateListener(w.ctx, &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Port: new(int32(80)), Protocol: types.ProtocolEnumTcp,
		DefaultActions: forward(*g.TargetGroupArn),
	}))(t)
}
