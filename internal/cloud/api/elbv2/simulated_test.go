package elbv2_test

import (
	"io"
	"slices"
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/api/elbv2"
	"aloft.dev/aloft/internal/cloud/bucketpolicy"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestASimulatedLoadBalancerHasAttributesForTraffic(t *testing.T) {
	for _, simulated := range []bool{false, true} {
		w := newWorldOf(t, elbv2.Config{Simulated: simulated})
		lb, group, err := w.networkForwarding("TCP", "TCP")
		if err != nil {
			t.Fatal(err)
		}
		listener := must(w.DescribeListeners(w.ctx, &elb.DescribeListenersInput{
			LoadBalancerArn: lb.LoadBalancerArn,
		}))(t).Listeners[0]
		for key, err := range map[string]error{
			"anomaly_mitigation": w.setAttributes(*w.group().TargetGroupArn,
				"load_balancing.algorithm.type", "weighted_random",
				"load_balancing.algorithm.anomaly_mitigation", "on"),
			"draining_interval_seconds": w.setAttributes(*group.TargetGroupArn,
				"target_health_state.unhealthy.connection_termination.enabled", "false",
				"target_health_state.unhealthy.draining_interval_seconds", "600"),
			"client_routing_policy": w.setBalancerAttributes(*lb.LoadBalancerArn,
				"dns_record.client_routing_policy", "availability_zone_affinity"),
			"idle_timeout": func() error {
				_, err := w.ModifyListenerAttributes(w.ctx, &elb.ModifyListenerAttributesInput{
					ListenerArn: listener.ListenerArn,
					Attributes: []types.ListenerAttribute{
						{Key: new("tcp.idle_timeout.seconds"), Value: new("60")},
					},
				})
				return err
			}(),
		} {
			if simulated && err != nil {
				t.Errorf("%s: %v", key, err)
			} else if !simulated {
				wantError(t, err, "NotImplemented", key)
			}
		}
		wantError(t, w.setBalancerAttributes(*lb.LoadBalancerArn, "dns_record.client_routing_policy", "near"),
			"ValidationError", "client_routing_policy")
	}
}

func TestEveryLogOfALoadBalancerNeedsABucketThatAdmitsIt(t *testing.T) {
	var written []string
	w := newWorldOf(t, elbv2.Config{Simulated: true, Deliver: func(d bucketpolicy.Delivery, _ io.Reader) error {
		written = append(written, d.Bucket+"/"+d.Key)
		return nil
	}})
	application := w.balancer()
	in := networkBalancer()
	in.Name = new("flows")
	network := must(w.CreateLoadBalancer(w.ctx, in))(t).LoadBalancers[0]
	for bucket, service := range map[string]string{
		"of-application": bucketpolicy.LoadBalancers, "of-network": bucketpolicy.Logs,
	} {
		w.change(func(tx *store.Tx) {
			store.Buckets.Put(tx, &store.Bucket{
				Name: bucket, Region: testRegion,
				Policy: `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Service": "` +
					service + `"}, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::` + bucket + `/*"}}`,
			})
		})
	}
	for _, c := range []struct {
		lb                types.LoadBalancer
		kind, other, good string
	}{
		{application, "access", "of-network", "of-application"},
		{application, "connection", "of-network", "of-application"},
		{application, "health_check", "of-network", "of-application"},
		{network, "access", "of-application", "of-network"},
	} {
		enable := func(bucket string) error {
			return w.setBalancerAttributes(*c.lb.LoadBalancerArn,
				c.kind+"_logs.s3.enabled", "true", c.kind+"_logs.s3.bucket", bucket)
		}
		wantError(t, enable(c.other), "InvalidConfigurationRequest", "Access Denied for bucket: "+c.other)
		if err := enable(c.good); err != nil {
			t.Errorf("%s: %v", c.kind, err)
		}
	}
	if want := []string{
		"of-application/AWSLogs/000000000000/ELBAccessLogTestFile",
		"of-application/AWSLogs/000000000000/ELBConnectionLogTestFile",
		"of-application/AWSLogs/000000000000/ELBHealthCheckLogTestFile",
		"of-network/AWSLogs/000000000000/ELBAccessLogTestFile",
	}; !slices.Equal(written, want) {
		t.Errorf("written: %q, want %q", written, want)
	}
}

func (w *world) setBalancerAttributes(lb string, pairs ...string) error {
	in := &elb.ModifyLoadBalancerAttributesInput{LoadBalancerArn: &lb}
	for i := 0; i < len(pairs); i += 2 {
		in.Attributes = append(in.Attributes, types.LoadBalancerAttribute{Key: &pairs[i], Value: &pairs[i+1]})
	}
	_, err := w.ModifyLoadBalancerAttributes(w.ctx, in)
	return err
}
