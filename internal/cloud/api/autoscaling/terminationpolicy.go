package autoscaling

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/wire"
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
func (a *API) DescribeTerminationPolicyTypes(
	context.Context, *autoscaling.DescribeTerminationPolicyTypesInput,
) (*autoscaling.DescribeTerminationPolicyTypesOutput, error) {
	return &autoscaling.DescribeTerminationPolicyTypesOutput{TerminationPolicyTypes: terminationPolicies}, nil
}

func checkTerminationPolicies(policies []string) error {
	for _, p := range policies {
		switch {
		case strings.HasPrefix(p, "arn:"):
			return wire.NotImplemented("termination policies by AWS Lambda (%s)", p)
		case !slices.Contains(terminationPolicies, p):
			return invalid("Invalid termination policy: %s", p)
		}
	}
	return nil
}
