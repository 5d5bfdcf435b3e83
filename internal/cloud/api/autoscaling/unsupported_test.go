package autoscaling_test

import (
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

func TestWarmPoolsAreNotImplemented(t *testing.T) {
	w := newRefreshWorld(t)
	_, put := w.PutWarmPool(t.Context(), &autoscaling.PutWarmPoolInput{AutoScalingGroupName: aws.String("g")})
	_, describe := w.DescribeWarmPool(t.Context(), &autoscaling.DescribeWarmPoolInput{
		AutoScalingGroupName: aws.String("g"),
	})
	_, remove := w.DeleteWarmPool(t.Context(), &autoscaling.DeleteWarmPoolInput{AutoScalingGroupName: aws.String("g")})
	for name, err := range map[string]error{
		"PutWarmPool": put, "DescribeWarmPool": describe, "DeleteWarmPool": remove,
	} {
		if errorText(err) != "NotImplemented: aloft's local cloud does not implement autoscaling:"+name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestEveryGroupParameterIsHandled fails when the SDK's inputs have a field
// more: it has to be served or refused by name, never dropped.
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
			t.Errorf("%s has %d fields, %d are known", in, n, want)
		}
	}
}
