package autoscaling_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/smithy-go"

	"aloft.dev/aloft/internal/cloud/wire"
)

func TestTheSDKsClientIsServed(t *testing.T) {
	w := newWorld(t)
	handler, err := wire.NewHandler(wire.Config{
		Services:    []wire.Service{{Name: "autoscaling", API: w.API}},
		Credentials: func(key string) (string, bool) { return "secret", key == "key" },
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	client := autoscaling.NewFromConfig(aws.Config{
		Region: here, BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""), RetryMaxAttempts: 1,
	})
	ctx := context.Background()
	in := w.three()
	in.DesiredCapacity, in.MinSize, in.DefaultInstanceWarmup = new(int32(0)), new(int32(0)), new(int32(0))
	in.Tags = []types.Tag{{Key: new("a&b"), Value: new("<c>"), PropagateAtLaunch: new(true)}}
	in.LifecycleHookSpecificationList = []types.LifecycleHookSpecification{{LifecycleHookName: new("h"), LifecycleTransition: new("autoscaling:EC2_INSTANCE_TERMINATING")}}
	must(client.CreateAutoScalingGroup(ctx, in))(t)
	g := must(client.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{"g"}}))(t).AutoScalingGroups[0]
	if *g.MaxSize != 6 || *g.DefaultInstanceWarmup != 0 || g.CreatedTime.IsZero() || *g.Tags[0].Key != "a&b" || *g.Tags[0].Value != "<c>" || !*g.Tags[0].PropagateAtLaunch || g.TargetGroupARNs[0] != w.targets || g.Instances == nil && len(g.Instances) != 0 {
		t.Errorf("%+v", g)
	}
	if h := must(client.DescribeLifecycleHooks(ctx, &autoscaling.DescribeLifecycleHooksInput{AutoScalingGroupName: new("g")}))(t).LifecycleHooks; len(h) != 1 || *h[0].GlobalTimeout != 172800 || *h[0].DefaultResult != "ABANDON" {
		t.Errorf("%+v", h)
	}
	must(client.SuspendProcesses(ctx, &autoscaling.SuspendProcessesInput{AutoScalingGroupName: new("g"), ScalingProcesses: []string{"AZRebalance"}}))(t)
	must(client.DescribeTerminationPolicyTypes(ctx, &autoscaling.DescribeTerminationPolicyTypesInput{}))(t)
	must(client.DescribeLifecycleHookTypes(ctx, &autoscaling.DescribeLifecycleHookTypesInput{}))(t)
	if l := must(client.DescribeAccountLimits(ctx, &autoscaling.DescribeAccountLimitsInput{}))(t); *l.NumberOfAutoScalingGroups != 1 || *l.MaxNumberOfAutoScalingGroups != 500 {
		t.Errorf("%+v", l)
	}
	_, err = client.CreateAutoScalingGroup(ctx, in)
	if _, ok := errors.AsType[*types.AlreadyExistsFault](err); !ok {
		t.Errorf("%v", err)
	}
	_, err = client.PutWarmPool(ctx, &autoscaling.PutWarmPoolInput{AutoScalingGroupName: new("g")})
	if refusal, ok := errors.AsType[smithy.APIError](err); !ok || refusal.ErrorCode() != "NotImplemented" || refusal.ErrorMessage() != "aloft's local cloud does not implement autoscaling:PutWarmPool" {
		t.Errorf("%v", err)
	}
	must(client.DeleteAutoScalingGroup(ctx, &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: new("g")}))(t)
}
