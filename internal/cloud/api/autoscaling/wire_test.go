package autoscaling_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/smithy-go"

	"aloft.dev/aloft/internal/cloud/wire"
	"aloft.dev/aloft/internal/cloud/wire/wiretest"
)

func TestSDKClientIsServed(t *testing.T) {
	w := newWorld(t)
	client := autoscaling.NewFromConfig(wiretest.Serve(t, here, wire.Service{Name: "autoscaling", API: w.API}))
	ctx := context.Background()
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
	if *g.MaxSize != 6 || *g.DefaultInstanceWarmup != 0 || g.CreatedTime.IsZero() || *g.Tags[0].Key != "a&b" ||
		*g.Tags[0].Value != "<c>" ||
		!*g.Tags[0].PropagateAtLaunch ||
		g.TargetGroupARNs[0] != w.targetGroup ||
		g.Instances == nil && len(g.Instances) != 0 {
		t.Errorf("%+v", g)
	}
	if h := must(client.DescribeLifecycleHooks(ctx, &autoscaling.DescribeLifecycleHooksInput{
		AutoScalingGroupName: new("g"),
	}))(t).LifecycleHooks; len(h) != 1 ||
		*h[0].GlobalTimeout != 172800 ||
		*h[0].DefaultResult != "ABANDON" {
		t.Errorf("%+v", h)
	}
	must(client.SuspendProcesses(ctx, &autoscaling.SuspendProcessesInput{
		AutoScalingGroupName: new("g"),
		ScalingProcesses:     []string{"AZRebalance"},
	}))(t)
	must(client.DescribeTerminationPolicyTypes(ctx, &autoscaling.DescribeTerminationPolicyTypesInput{}))(t)
	must(client.DescribeLifecycleHookTypes(ctx, &autoscaling.DescribeLifecycleHookTypesInput{}))(t)
	if l := must(client.DescribeAccountLimits(
		ctx, &autoscaling.DescribeAccountLimitsInput{},
	))(t); *l.NumberOfAutoScalingGroups != 1 ||
		*l.MaxNumberOfAutoScalingGroups != 500 {
		t.Errorf("%+v", l)
	}
	_, err := client.CreateAutoScalingGroup(ctx, in)
	if _, ok := errors.AsType[*types.AlreadyExistsFault](err); !ok {
		t.Errorf("%v", err)
	}
	_, err = client.PutWarmPool(ctx, &autoscaling.PutWarmPoolInput{AutoScalingGroupName: new("g")})
	if refusal, ok := errors.AsType[smithy.APIError](err); !ok || refusal.ErrorCode() != "NotImplemented" ||
		refusal.ErrorMessage() != "aloft's local cloud does not implement autoscaling:PutWarmPool" {
		t.Errorf("%v", err)
	}
	must(
		client.DeleteAutoScalingGroup(ctx, &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: new("g")}),
	)(t)
}
