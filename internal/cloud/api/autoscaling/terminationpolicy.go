package autoscaling

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
)

// DescribeTerminationPolicyTypes lists by what an instance can be chosen to go.
func (a *API) DescribeTerminationPolicyTypes(context.Context, *autoscaling.DescribeTerminationPolicyTypesInput) (*autoscaling.DescribeTerminationPolicyTypesOutput, error) {
	return &autoscaling.DescribeTerminationPolicyTypesOutput{TerminationPolicyTypes: terminationPolicies}, nil
}

var terminationPolicies = []string{
	"AllocationStrategy",
	"ClosestToNextInstanceHour",
	"Default",
	"NewestInstance",
	"OldestInstance",
	"OldestLaunchConfiguration",
	"OldestLaunchTemplate",
}
