package autoscaling

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
)

var terminationPolicies = []string{
	"AllocationStrategy",
	"ClosestToNextInstanceHour",
	"Default",
	"NewestInstance",
	"OldestInstance",
	"OldestLaunchConfiguration",
	"OldestLaunchTemplate",
}

// DescribeTerminationPolicyTypes lists the policies that select the instance to
// terminate when a group scales in.
func (a *API) DescribeTerminationPolicyTypes(context.Context, *autoscaling.DescribeTerminationPolicyTypesInput) (*autoscaling.DescribeTerminationPolicyTypesOutput, error) {
	return &autoscaling.DescribeTerminationPolicyTypesOutput{TerminationPolicyTypes: terminationPolicies}, nil
}
