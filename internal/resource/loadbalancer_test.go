package resource

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func TestProblemOfALoadBalancerIsKept(t *testing.T) {
	const reason = "port 80 cannot be reached on this host: nc listens there"
	for code, want := range map[types.LoadBalancerStateEnum][2]string{
		types.LoadBalancerStateEnumActive:         {reason, ""},
		types.LoadBalancerStateEnumActiveImpaired: {"", ""}, // AWS adds capacity
		types.LoadBalancerStateEnumProvisioning:   {"", ""},
		types.LoadBalancerStateEnumFailed:         {"", "load balancer failed: " + reason},
	} {
		f := describeLoadBalancer(types.LoadBalancer{State: &types.LoadBalancerState{Code: code, Reason: new(reason)}})
		if got := [2]string{f.Status.Problem, f.Broken}; got != want {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
}
