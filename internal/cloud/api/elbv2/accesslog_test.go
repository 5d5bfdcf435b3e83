package elbv2_test

import (
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestAccessLogsNeedBucket(t *testing.T) {
	w := newWorld(t)
	lb := w.balancer()
	row, _ := store.LoadBalancers.Get(w.store.View(), *lb.LoadBalancerArn)
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
	putBucket := func(name string, region identity.Region, policy string) {
		t.Helper()
		if err := w.store.Update(func(tx *store.Tx) error {
			store.Buckets.Put(tx, &store.Bucket{Name: name, Region: region, Policy: policy})
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	policy := func(bucket, prefix string) string {
		return `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Service": ` +
			`"logdelivery.elasticloadbalancing.amazonaws.com"}, "Action": "s3:PutObject", "Resource": ` +
			`"arn:aws:s3:::` + bucket + "/" + prefix + `AWSLogs/000000000000/*"}}`
	}
	putBucket("logs", row.Region, policy("logs", "a/"))
	putBucket("team-logs", row.Region, policy("team-logs", "web/"))
	putBucket("far", "ap-south-2", policy("far", ""))
	putBucket("closed", row.Region, "")
	wantError(t, set("enabled", "true"), "InvalidConfigurationRequest", "Access Denied for bucket")
	for _, bucket := range []string{"missing", "far", "closed", "team-logs"} { // whose policy is for a prefix
		wantError(
			t, set("enabled", "true", "bucket", bucket), "InvalidConfigurationRequest",
			"Access Denied for bucket: "+bucket+". Please check S3bucket permission",
		)
	}
	wantError(t, set("enabled", "true", "bucket", "../up"), "InvalidConfigurationRequest", "../up")
	wantError(
		t, set("enabled", "true", "bucket", "logs", "prefix", "a/AWSLogs"), "InvalidConfigurationRequest", "AWSLogs",
	)
	if err := set("enabled", "true", "bucket", "team-logs", "prefix", "web"); err != nil {
		t.Fatal(err)
	}
	row, _ = store.LoadBalancers.Get(w.store.View(), *lb.LoadBalancerArn)
	if a := row.Attributes; a["access_logs.s3.enabled"] != "true" || a["access_logs.s3.bucket"] != "team-logs" ||
		a["access_logs.s3.prefix"] != "web" {
		t.Errorf("attributes = %v", a)
	}
	wantError(t, set("bucket", ""), "InvalidConfigurationRequest", "Access Denied")
	if err := set("enabled", "false", "bucket", ""); err != nil {
		t.Error(err)
	}
}
