package resource

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/smithy-go"

	"aloft.dev/aloft/internal/awsapi"
)

// forbiddenInstances is a cloud that refuses to list instances.
type forbiddenInstances struct{ instanceAPI }

func (forbiddenInstances) DescribeInstances(
	context.Context, *ec2.DescribeInstancesInput, ...func(*ec2.Options),
) (*ec2.DescribeInstancesOutput, error) {
	return nil, &smithy.GenericAPIError{Code: "UnauthorizedOperation"}
}

// hangingLoadBalancing is a cloud that answers no query for target groups.
type hangingLoadBalancing struct{ noLoadBalancing }

func (hangingLoadBalancing) DescribeTargetGroups(
	ctx context.Context, _ *elb.DescribeTargetGroupsInput, _ ...func(*elb.Options),
) (*elb.DescribeTargetGroupsOutput, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestDiscoverReturnsTheFirstErrorAtOnce(t *testing.T) {
	p := provisioner(&vpcCloud{})
	p.EC2.instanceAPI, p.ELB.targetGroupAPI = forbiddenInstances{}, hangingLoadBalancing{}
	for range 100 {
		if _, err := p.Discover(t.Context()); !awsapi.IsForbidden(err) {
			t.Fatalf("got %v", err)
		}
	}
}
