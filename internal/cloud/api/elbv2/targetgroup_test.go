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
		{"TLS", func(in *elb.CreateTargetGroupInput) { in.Protocol = types.ProtocolEnumTls }, "NotImplemented", "TLS"},
		{"gRPC", func(in *elb.CreateTargetGroupInput) { in.ProtocolVersion = new("GRPC") }, "NotImplemented", "GRPC"},
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
