package elbv2_test

import (
	"slices"
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func TestDescribeSSLPolicies(t *testing.T) {
	w := newWorld(t)
	client := w.client()
	all := must(w.DescribeSSLPolicies(w.ctx, &elb.DescribeSSLPoliciesInput{}))(t).SslPolicies
	var paged []string
	for in := (&elb.DescribeSSLPoliciesInput{
		PageSize: new(int32(5)), LoadBalancerType: types.LoadBalancerTypeEnumApplication,
	}); ; {
		out := must(w.DescribeSSLPolicies(w.ctx, in))(t)
		for _, p := range out.SslPolicies {
			paged = append(paged, *p.Name)
		}
		if in.Marker = out.NextMarker; in.Marker == nil {
			break
		}
	}
	if len(all) < 20 || len(paged) != len(all) || *all[0].Name != "ELBSecurityPolicy-2016-08" {
		t.Errorf("%d policies, %d in pages", len(all), len(paged))
	}
	one := must(client.DescribeSSLPolicies(
		w.ctx,
		&elb.DescribeSSLPoliciesInput{Names: []string{"ELBSecurityPolicy-TLS13-1-2-Res-2021-06"}},
	))(t).SslPolicies
	if len(one) != 1 || !slices.Equal(one[0].SslProtocols, []string{"TLSv1.2", "TLSv1.3"}) ||
		len(one[0].Ciphers) != 7 ||
		*one[0].Ciphers[3].Name != "ECDHE-ECDSA-AES128-GCM-SHA256" ||
		*one[0].Ciphers[3].Priority != 4 {
		t.Errorf("policies = %+v", one)
	}
	_, err := w.DescribeSSLPolicies(w.ctx, &elb.DescribeSSLPoliciesInput{Names: []string{"none"}})
	wantError(t, err, "SSLPolicyNotFound", "none")
}
