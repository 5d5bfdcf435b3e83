package elbv2_test

import (
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func TestSupportedLoadBalancerAttributesCanBeSet(t *testing.T) {
	w := newWorld(t)
	lb := w.balancer()
	for key, value := range map[string]string{
		"client_keep_alive.seconds": "60", "routing.http.desync_mitigation_mode": "strictest",
		"routing.http.preserve_host_header.enabled": "true",
	} {
		must(w.ModifyLoadBalancerAttributes(w.ctx, &elb.ModifyLoadBalancerAttributesInput{
			LoadBalancerArn: lb.LoadBalancerArn,
			Attributes:      []types.LoadBalancerAttribute{{Key: &key, Value: &value}},
		}))(t)
	}
}

func TestLoadBalancerAttributesAreValidated(t *testing.T) {
	w := newWorld(t)
	lb := w.balancer()
	out := must(w.DescribeLoadBalancerAttributes(
		w.ctx,
		&elb.DescribeLoadBalancerAttributesInput{LoadBalancerArn: lb.LoadBalancerArn},
	))(t)
	if len(out.Attributes) < 20 {
		t.Errorf("%d attributes, want at least 20", len(out.Attributes))
	}
	for _, c := range []struct{ key, value, code string }{
		{"idle_timeout.timeout_seconds", "0", "ValidationError"},
		{"idle_timeout.timeout_seconds", "4001", "ValidationError"},
		{"idle_timeout.timeout_seconds", "120", ""},
		{"no.such.key", "1", "ValidationError"},
		{"routing.http.xff_header_processing.mode", "perhaps", "ValidationError"},
		{"routing.http.xff_header_processing.mode", "remove", ""},
		{"load_balancing.cross_zone.enabled", "false", "ValidationError"},
		{"connection_logs.s3.enabled", "true", "NotImplemented"},
	} {
		_, err := w.ModifyLoadBalancerAttributes(w.ctx, &elb.ModifyLoadBalancerAttributesInput{
			LoadBalancerArn: lb.LoadBalancerArn,
			Attributes:      []types.LoadBalancerAttribute{{Key: &c.key, Value: &c.value}},
		})
		if c.code == "" && err != nil {
			t.Errorf("%s=%s: %v", c.key, c.value, err)
		} else if c.code != "" {
			wantError(t, err, c.code, c.key)
		}
	}
}
