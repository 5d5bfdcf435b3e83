package elbv2_test

import (
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func TestTargetGroupDefaults(t *testing.T) {
	w := newWorld(t)
	g := w.group()
	if *g.HealthCheckIntervalSeconds != 30 || *g.HealthCheckTimeoutSeconds != 5 ||
		*g.HealthyThresholdCount != 5 || *g.UnhealthyThresholdCount != 2 ||
		*g.HealthCheckPath != "/" || *g.HealthCheckPort != "traffic-port" ||
		*g.Matcher.HttpCode != "200" ||
		*g.ProtocolVersion != "HTTP1" ||
		g.TargetType != types.TargetTypeEnumInstance {
		t.Errorf("target group = %+v", g)
	}
	values := map[string]string{}
	for _, a := range must(w.DescribeTargetGroupAttributes(w.ctx, &elb.DescribeTargetGroupAttributesInput{
		TargetGroupArn: g.TargetGroupArn,
	}))(t).Attributes {
		values[*a.Key] = *a.Value
	}
	if values["deregistration_delay.timeout_seconds"] != "300" ||
		values["load_balancing.algorithm.type"] != "round_robin" ||
		values["stickiness.enabled"] != "false" {
		t.Errorf("attributes = %v", values)
	}
	if again := w.group(); *again.TargetGroupArn != *g.TargetGroupArn {
		t.Error("the same request created another target group")
	}
	other := webGroup()
	other.Port = new(int32(80))
	_, err := w.CreateTargetGroup(w.ctx, other)
	wantError(t, err, "DuplicateTargetGroupName", "already exists")
}

func TestInvalidTargetGroupsAreRefused(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		name       string
		change     func(in *elb.CreateTargetGroupInput)
		code, text string
	}{
		{"no VPC", func(in *elb.CreateTargetGroupInput) { in.VpcId = nil }, "ValidationError", "VPC"},
		{
			"an unknown VPC", func(in *elb.CreateTargetGroupInput) { in.VpcId = new("vpc-9") }, "ValidationError",
			"vpc-9",
		},
		{"port 0", func(in *elb.CreateTargetGroupInput) { in.Port = new(int32(0)) }, "ValidationError", "port"},
		{
			"QUIC", func(in *elb.CreateTargetGroupInput) { in.Protocol = types.ProtocolEnumQuic },
			"NotImplemented", "QUIC",
		},
		{
			"HTTP3", func(in *elb.CreateTargetGroupInput) { in.ProtocolVersion = new("HTTP3") }, "ValidationError",
			"Protocol version 'HTTP3' must be one of 'GRPC, HTTP1, HTTP2'",
		},
		{
			"a status of gRPC for targets without it",
			func(in *elb.CreateTargetGroupInput) { in.Matcher = &types.Matcher{GrpcCode: new("0")} },
			"ValidationError", "GRPC",
		},
		{
			"a short interval", func(in *elb.CreateTargetGroupInput) { in.HealthCheckIntervalSeconds = new(int32(4)) },
			"ValidationError", "healthCheckIntervalSeconds",
		},
		{
			"a time-out as long as the interval",
			func(in *elb.CreateTargetGroupInput) { in.HealthCheckIntervalSeconds = new(int32(5)) }, "ValidationError",
			"greater than the timeout",
		},
		{
			"a threshold of 11", func(in *elb.CreateTargetGroupInput) { in.HealthyThresholdCount = new(int32(11)) },
			"ValidationError", "healthyThresholdCount",
		},
		{
			"a relative path", func(in *elb.CreateTargetGroupInput) { in.HealthCheckPath = new("health") },
			"ValidationError", "path",
		},
		{
			"a matcher of 500",
			func(in *elb.CreateTargetGroupInput) { in.Matcher = &types.Matcher{HttpCode: new("500")} },
			"ValidationError", "200-499",
		},
		{
			"no health checks", func(in *elb.CreateTargetGroupInput) { in.HealthCheckEnabled = new(false) },
			"InvalidConfigurationRequest", "enabled",
		},
	} {
		in := webGroup()
		c.change(in)
		_, err := w.CreateTargetGroup(w.ctx, in)
		t.Run(c.name, func(t *testing.T) { wantError(t, err, c.code, c.text) })
	}
}

func TestTargetGroupsOfGRPC(t *testing.T) {
	w := newWorld(t)
	create := func(version string, matcher *types.Matcher) (types.TargetGroup, error) {
		out, err := w.CreateTargetGroup(w.ctx, &elb.CreateTargetGroupInput{
			Name: new(version), Protocol: types.ProtocolEnumHttp, Port: new(int32(50051)), VpcId: webGroup().VpcId,
			ProtocolVersion: &version, Matcher: matcher,
		})
		if err != nil {
			return types.TargetGroup{}, err
		}
		return out.TargetGroups[0], nil
	}
	g := must(create("GRPC", nil))(t)
	if *g.ProtocolVersion != "GRPC" || *g.HealthCheckPath != "/AWS.ALB/healthcheck" || *g.Matcher.GrpcCode != "12" ||
		g.Matcher.HttpCode != nil {
		t.Errorf("target group = %+v, matcher %+v", g, g.Matcher)
	}
	g = must(w.ModifyTargetGroup(w.ctx, &elb.ModifyTargetGroupInput{
		TargetGroupArn: g.TargetGroupArn, Matcher: &types.Matcher{GrpcCode: new("0-5,12")},
	}))(t).TargetGroups[0]
	if *g.Matcher.GrpcCode != "0-5,12" {
		t.Errorf("matcher = %+v", g.Matcher)
	}
	for _, matcher := range []types.Matcher{{GrpcCode: new("100")}, {HttpCode: new("200")}} {
		_, err := w.ModifyTargetGroup(w.ctx, &elb.ModifyTargetGroupInput{
			TargetGroupArn: g.TargetGroupArn, Matcher: &matcher,
		})
		wantError(t, err, "ValidationError", "GRPC")
	}
	http2 := must(create("HTTP2", nil))(t)
	if *http2.Matcher.HttpCode != "200" || *http2.HealthCheckPath != "/" {
		t.Errorf("target group = %+v, matcher %+v", http2, http2.Matcher)
	}
	lb := w.balancer()
	for _, group := range []types.TargetGroup{g, http2} {
		_, err := w.CreateListener(w.ctx, &elb.CreateListenerInput{
			LoadBalancerArn: lb.LoadBalancerArn, Protocol: types.ProtocolEnumHttp, Port: new(int32(80)),
			DefaultActions: []types.Action{
				{Type: types.ActionTypeEnumForward, TargetGroupArn: group.TargetGroupArn},
			},
		})
		wantError(t, err, "ValidationError", "protocol-version '"+*group.ProtocolVersion+"'")
	}
}

func TestTargetGroupInUseCannotBeDeleted(t *testing.T) {
	w := newWorld(t)
	lb, g, l := w.forwarding()
	found := must(
		w.DescribeTargetGroups(w.ctx, &elb.DescribeTargetGroupsInput{LoadBalancerArn: lb.LoadBalancerArn}),
	)(t).TargetGroups
	if len(found) != 1 || len(found[0].LoadBalancerArns) != 1 || found[0].LoadBalancerArns[0] != *lb.LoadBalancerArn {
		t.Errorf("the load balancer's target groups = %+v", found)
	}
	_, err := w.DeleteTargetGroup(w.ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: g.TargetGroupArn})
	wantError(
		t, err, "ResourceInUse", "Target group '"+*g.TargetGroupArn+"' is currently in use by a listener or a rule",
	)
	must(w.DeleteListener(w.ctx, &elb.DeleteListenerInput{ListenerArn: l.ListenerArn}))(t)
	must(w.DeleteTargetGroup(w.ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: g.TargetGroupArn}))(t)
	_, err = w.DescribeTargetGroups(w.ctx, &elb.DescribeTargetGroupsInput{Names: []string{"web"}})
	wantError(t, err, "TargetGroupNotFound", "One or more target groups not found")
}

func TestModifyTargetGroup(t *testing.T) {
	w := newWorld(t)
	g := w.group()
	changed := must(w.ModifyTargetGroup(w.ctx, &elb.ModifyTargetGroupInput{
		TargetGroupArn: g.TargetGroupArn, HealthCheckIntervalSeconds: new(int32(5)),
		HealthCheckTimeoutSeconds: new(int32(3)),
		HealthCheckPath:           new("/health"), Matcher: &types.Matcher{HttpCode: new("200-299,403")},
	}))(t).TargetGroups[0]
	if *changed.HealthCheckIntervalSeconds != 5 || *changed.HealthCheckTimeoutSeconds != 3 ||
		*changed.HealthCheckPath != "/health" ||
		*changed.Matcher.HttpCode != "200-299,403" ||
		*changed.HealthyThresholdCount != 5 {
		t.Errorf("target group = %+v", changed)
	}
}
