//go:build linux

package autoscaling_test

import (
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
)

func TestCreateGroupRefusesUnsupportedParametersByName(t *testing.T) {
	checkCreateRefusals(t, newWorld(t), "NotImplemented", map[string]refusal{
		"AWS Lambda":  {func(in *createInput) { in.TerminationPolicies = []string{"arn:aws:lambda:x"} }, "Lambda"},
		"VPC Lattice": {func(in *createInput) { in.HealthCheckType = new("EC2,VPC_LATTICE") }, "VPC_LATTICE"},
		"prices": {
			mixedPolicy(
				&types.InstancesDistribution{OnDemandAllocationStrategy: new("lowest-price")},
				types.LaunchTemplateOverrides{InstanceType: new("t3.micro")},
				types.LaunchTemplateOverrides{InstanceType: new("t3.small")},
			),
			"OnDemandAllocationStrategy",
		},
		"notifications": {func(in *createInput) {
			in.LifecycleHookSpecificationList = []types.LifecycleHookSpecification{
				{
					LifecycleHookName: new("h"), LifecycleTransition: new(scalinggroup.Launching),
					NotificationTargetARN: new("arn:aws:sqs:us-east-1:000000000000:q"),
				},
			}
		}, "NotificationTargetARN"},
	})
}

// mixedPolicy returns a change that replaces the launch template by a mixed instances
// policy.
func mixedPolicy(
	distribution *types.InstancesDistribution, overrides ...types.LaunchTemplateOverrides,
) func(*createInput) {
	return func(in *createInput) {
		in.LaunchTemplate, in.MixedInstancesPolicy = nil, &types.MixedInstancesPolicy{
			InstancesDistribution: distribution,
			LaunchTemplate: &types.LaunchTemplate{
				LaunchTemplateSpecification: in.LaunchTemplate, Overrides: overrides,
			},
		}
	}
}

// TestEveryGroupParameterIsHandled fails if a version of the SDK adds a parameter.
// The API must implement it or refuse it by name, and never ignore it.
func TestEveryGroupParameterIsHandled(t *testing.T) {
	for in, want := range map[reflect.Type]int{
		reflect.TypeFor[autoscaling.CreateAutoScalingGroupInput](): 36,
		reflect.TypeFor[autoscaling.UpdateAutoScalingGroupInput](): 29,
		reflect.TypeFor[types.LaunchTemplateOverrides]():           5,
		reflect.TypeFor[types.InstancesDistribution]():             7,
		reflect.TypeFor[types.LifecycleHookSpecification]():        7,
	} {
		n := 0
		for field := range in.Fields() {
			if field.IsExported() {
				n++
			}
		}
		if n != want {
			t.Errorf("%s has %d fields; the API handles %d", in, n, want)
		}
	}
}
