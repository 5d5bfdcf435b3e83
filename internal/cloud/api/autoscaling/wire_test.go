//go:build linux

package autoscaling_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/wire"
	"aloft.dev/aloft/internal/cloud/wire/wiretest"
)

func TestSDKClientIsServed(t *testing.T) {
	w := newWorld(t)
	client := autoscaling.NewFromConfig(wiretest.Serve(t, here, wire.Service{Name: "autoscaling", API: w.API}))
	ctx := t.Context()
	in := w.groupOfThree()
	in.DesiredCapacity, in.MinSize, in.DefaultInstanceWarmup = new(int32(0)), new(int32(0)), new(int32(0))
	in.Tags = []types.Tag{{Key: new("a&b"), Value: new("<c>"), PropagateAtLaunch: new(true)}}
	in.LifecycleHookSpecificationList = []types.LifecycleHookSpecification{
		{LifecycleHookName: new("h"), LifecycleTransition: new("autoscaling:EC2_INSTANCE_TERMINATING")},
	}
	must(client.CreateAutoScalingGroup(ctx, in))(t)
	g := must(client.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{
		AutoScalingGroupNames: []string{"g"},
	}))(t).AutoScalingGroups[0]
	check(t, "MaxSize", *g.MaxSize, 6)
	check(t, "DefaultInstanceWarmup", *g.DefaultInstanceWarmup, 0)
	check(t, "Key", *g.Tags[0].Key, "a&b")
	check(t, "Value", *g.Tags[0].Value, "<c>")
	check(t, "PropagateAtLaunch", *g.Tags[0].PropagateAtLaunch, true)
	check(t, "TargetGroupARNs", g.TargetGroupARNs, []string{w.targetGroup})
	check(t, "number of Instances", len(g.Instances), 0)
	if g.CreatedTime.IsZero() {
		t.Error("CreatedTime is zero")
	}

	hooks := must(client.DescribeLifecycleHooks(ctx, &autoscaling.DescribeLifecycleHooksInput{
		AutoScalingGroupName: new("g"),
	}))(t).LifecycleHooks
	check(t, "number of LifecycleHooks", len(hooks), 1)
	check(t, "GlobalTimeout", *hooks[0].GlobalTimeout, 172800)
	check(t, "DefaultResult", *hooks[0].DefaultResult, "ABANDON")

	must(client.SuspendProcesses(ctx, &autoscaling.SuspendProcessesInput{
		AutoScalingGroupName: new("g"), ScalingProcesses: []string{"AZRebalance"},
	}))(t)
	must(client.DescribeTerminationPolicyTypes(ctx, &autoscaling.DescribeTerminationPolicyTypesInput{}))(t)
	must(client.DescribeLifecycleHookTypes(ctx, &autoscaling.DescribeLifecycleHookTypesInput{}))(t)
	limits := must(client.DescribeAccountLimits(ctx, &autoscaling.DescribeAccountLimitsInput{}))(t)
	check(t, "NumberOfAutoScalingGroups", *limits.NumberOfAutoScalingGroups, 1)
	check(t, "MaxNumberOfAutoScalingGroups", *limits.MaxNumberOfAutoScalingGroups, 500)

	_, err := client.CreateAutoScalingGroup(ctx, in)
	if _, ok := errors.AsType[*types.AlreadyExistsFault](err); !ok {
		t.Errorf("the second group of the name: error %v, want AlreadyExistsFault", err)
	}
	_, err = client.AttachLoadBalancers(ctx, &autoscaling.AttachLoadBalancersInput{
		AutoScalingGroupName: new("g"), LoadBalancerNames: []string{"classic"},
	})
	check(t, "error", errorText(err),
		"ValidationError: Provided Load Balancers may not be valid. Please ensure they exist and try again.")
	_, err = client.DetachLoadBalancers(ctx, &autoscaling.DetachLoadBalancersInput{
		AutoScalingGroupName: new("g"), LoadBalancerNames: []string{"classic"},
	})
	check(t, "error", errorText(err),
		"ValidationError: Trying to remove Load Balancers that are not part of the group")
	must(client.DeleteAutoScalingGroup(ctx, &autoscaling.DeleteAutoScalingGroupInput{
		AutoScalingGroupName: new("g"),
	}))(t)
}
