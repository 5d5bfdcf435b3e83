package elbv2_test

import (
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

func TestAccountLimitsAreTheQuotas(t *testing.T) {
	w := newWorld(t)
	limits := map[string]string{}
	for in := (&elb.DescribeAccountLimitsInput{PageSize: new(int32(4))}); ; {
		out := must(w.DescribeAccountLimits(w.ctx, in))(t)
		if len(out.Limits) > 4 {
			t.Errorf("a page has %d limits", len(out.Limits))
		}
		for _, limit := range out.Limits {
			limits[*limit.Name] = *limit.Max
		}
		if in.Marker = out.NextMarker; in.Marker == nil {
			break
		}
	}
	if len(limits) != 12 || limits["rules-per-application-load-balancer"] != "100" {
		t.Errorf("got %v", limits)
	}
}
