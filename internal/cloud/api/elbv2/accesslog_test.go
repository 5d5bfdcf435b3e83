package elbv2_test

import (
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestAccessLogsNeedBucket(t *testing.T) {
	w := newWorld(t)
	lb := w.balancer()
	set := func(pairs ...string) error {
		in := &elb.ModifyLoadBalancerAttributesInput{LoadBalancerArn: lb.LoadBalancerArn}
		for i := 0; i < len(pairs); i += 2 {
			in.Attributes = append(
				in.Attributes,
				types.LoadBalancerAttribute{Key: new("access_logs.s3." + pairs[i]), Value: new(pairs[i+1])},
			)
		}
		_, err := w.ModifyLoadBalancerAttributes(w.ctx, in)
		return err
	}
	wantError(t, set("enabled", "true"), "InvalidConfigurationRequest", "Access Denied for bucket")
	wantError(t, set("enabled", "true", "bucket", "../up"), "InvalidConfigurationRequest", "../up")
	wantError(
		t, set("enabled", "true", "bucket", "logs", "prefix", "a/AWSLogs"), "InvalidConfigurationRequest", "AWSLogs",
	)
	if err := set("enabled", "true", "bucket", "team-logs", "prefix", "web"); err != nil {
		t.Fatal(err)
	}
	row, _ := store.LoadBalancers.Get(w.store.View(), *lb.LoadBalancerArn)
	if a := row.Attributes; a["access_logs.s3.enabled"] != "true" || a["access_logs.s3.bucket"] != "team-logs" ||
		a["access_logs.s3.prefix"] != "web" {
		t.Errorf("attributes = %v", a)
	}
	wantError(t, set("bucket", ""), "InvalidConfigurationRequest", "Access Denied")
	if err := set("enabled", "false", "bucket", ""); err != nil {
		t.Error(err)
	}
}
