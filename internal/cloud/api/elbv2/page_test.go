package elbv2_test

import (
	"slices"
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

func TestDescribeLoadBalancersPages(t *testing.T) {
	w := newWorld(t)
	var want []string
	for _, name := range []string{"one", "two", "three", "four", "five"} {
		in := webBalancer()
		in.Name = &name
		want = append(want, *must(w.CreateLoadBalancer(w.ctx, in))(t).LoadBalancers[0].LoadBalancerArn)
	}
	slices.Sort(want)
	var got []string
	pages := 0
	for in := (&elb.DescribeLoadBalancersInput{PageSize: new(int32(2))}); ; pages++ {
		out := must(w.DescribeLoadBalancers(w.ctx, in))(t)
		for _, lb := range out.LoadBalancers {
			got = append(got, *lb.LoadBalancerArn)
		}
		if in.Marker = out.NextMarker; in.Marker == nil {
			break
		}
	}
	if !slices.Equal(got, want) || pages != 2 {
		t.Errorf("got %d pages with %v, want 3 with %v", pages+1, got, want)
	}
	_, err := w.DescribeLoadBalancers(w.ctx, &elb.DescribeLoadBalancersInput{Names: []string{"one", "six"}})
	wantError(t, err, "LoadBalancerNotFound", "six")
	_, err = w.DescribeLoadBalancers(w.ctx, &elb.DescribeLoadBalancersInput{PageSize: new(int32(401))})
	wantError(t, err, "ValidationError", "400")
}
