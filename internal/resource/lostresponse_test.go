package resource

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// vpcCloud is a cloud that has only VPCs. Responses to their creation get lost.
type vpcCloud struct {
	EC2
	succeeds  func(call int) bool // the call creates a VPC
	responds  func(call int) bool // the response arrives
	invisible time.Duration       // until a created VPC is listed

	calls   int
	vpcs    []types.Vpc
	created []time.Time

	hostnames bool // a VPC was given DNS host names
}

var errLost = &smithyhttp.RequestSendError{Err: syscall.ECONNRESET}

func (c *vpcCloud) CreateVpc(
	_ context.Context,
	in *ec2.CreateVpcInput,
	_ ...func(*ec2.Options),
) (*ec2.CreateVpcOutput, error) {
	c.calls++
	if !c.succeeds(c.calls) {
		return nil, errLost
	}
	c.vpcs = append(
		c.vpcs,
		types.Vpc{
			VpcId:     aws.String("vpc-" + string(rune('0'+c.calls))),
			CidrBlock: in.CidrBlock,
			State:     types.VpcStateAvailable,
			Tags:      in.TagSpecifications[0].Tags,
		},
	)
	c.created = append(c.created, time.Now())
	if !c.responds(c.calls) {
		return nil, errLost
	}
	return &ec2.CreateVpcOutput{Vpc: &c.vpcs[len(c.vpcs)-1]}, nil
}

func (c *vpcCloud) CreateSecurityGroup(
	context.Context, *ec2.CreateSecurityGroupInput, ...func(*ec2.Options),
) (*ec2.CreateSecurityGroupOutput, error) {
	c.calls++
	return nil, &smithy.GenericAPIError{Code: "InvalidGroup.Duplicate", Message: "it exists"}
}

func (c *vpcCloud) DescribeVpcs(
	context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options),
) (*ec2.DescribeVpcsOutput, error) {
	out := &ec2.DescribeVpcsOutput{}
	for i, vpc := range c.vpcs {
		if time.Since(c.created[i]) >= c.invisible {
			out.Vpcs = append(out.Vpcs, vpc)
		}
	}
	return out, nil
}

func (c *vpcCloud) DescribeVpcAttribute(
	context.Context, *ec2.DescribeVpcAttributeInput, ...func(*ec2.Options),
) (*ec2.DescribeVpcAttributeOutput, error) {
	on := &types.AttributeBooleanValue{Value: aws.Bool(c.hostnames)}
	return &ec2.DescribeVpcAttributeOutput{EnableDnsHostnames: on}, nil
}

func (c *vpcCloud) ModifyVpcAttribute(
	context.Context, *ec2.ModifyVpcAttributeInput, ...func(*ec2.Options),
) (*ec2.ModifyVpcAttributeOutput, error) {
	c.hostnames = true
	return &ec2.ModifyVpcAttributeOutput{}, nil
}

func (c *vpcCloud) DescribeSubnets(
	context.Context, *ec2.DescribeSubnetsInput, ...func(*ec2.Options),
) (*ec2.DescribeSubnetsOutput, error) {
	return &ec2.DescribeSubnetsOutput{}, nil
}

func (c *vpcCloud) DescribeInternetGateways(
	context.Context, *ec2.DescribeInternetGatewaysInput, ...func(*ec2.Options),
) (*ec2.DescribeInternetGatewaysOutput, error) {
	return &ec2.DescribeInternetGatewaysOutput{}, nil
}

func (c *vpcCloud) DescribeAddresses(
	context.Context, *ec2.DescribeAddressesInput, ...func(*ec2.Options),
) (*ec2.DescribeAddressesOutput, error) {
	return &ec2.DescribeAddressesOutput{}, nil
}

func (c *vpcCloud) DescribeNatGateways(
	context.Context, *ec2.DescribeNatGatewaysInput, ...func(*ec2.Options),
) (*ec2.DescribeNatGatewaysOutput, error) {
	return &ec2.DescribeNatGatewaysOutput{}, nil
}

func (c *vpcCloud) DescribeRouteTables(
	context.Context, *ec2.DescribeRouteTablesInput, ...func(*ec2.Options),
) (*ec2.DescribeRouteTablesOutput, error) {
	return &ec2.DescribeRouteTablesOutput{}, nil
}

func (c *vpcCloud) DescribeSecurityGroups(
	context.Context, *ec2.DescribeSecurityGroupsInput, ...func(*ec2.Options),
) (*ec2.DescribeSecurityGroupsOutput, error) {
	return &ec2.DescribeSecurityGroupsOutput{}, nil
}

func (c *vpcCloud) DescribeKeyPairs(
	context.Context, *ec2.DescribeKeyPairsInput, ...func(*ec2.Options),
) (*ec2.DescribeKeyPairsOutput, error) {
	return &ec2.DescribeKeyPairsOutput{}, nil
}

// connectEndpoints has no endpoints.
type connectEndpoints struct{ connectEndpointAPI }

func (connectEndpoints) DescribeInstanceConnectEndpoints(
	context.Context, *ec2.DescribeInstanceConnectEndpointsInput, ...func(*ec2.Options),
) (*ec2.DescribeInstanceConnectEndpointsOutput, error) {
	return &ec2.DescribeInstanceConnectEndpointsOutput{}, nil
}

func (c *vpcCloud) DescribeImages(
	context.Context, *ec2.DescribeImagesInput, ...func(*ec2.Options),
) (*ec2.DescribeImagesOutput, error) {
	return &ec2.DescribeImagesOutput{}, nil
}

func (c *vpcCloud) DescribeLaunchTemplates(
	context.Context, *ec2.DescribeLaunchTemplatesInput, ...func(*ec2.Options),
) (*ec2.DescribeLaunchTemplatesOutput, error) {
	return &ec2.DescribeLaunchTemplatesOutput{}, nil
}

func (c *vpcCloud) DescribeInstances(
	context.Context, *ec2.DescribeInstancesInput, ...func(*ec2.Options),
) (*ec2.DescribeInstancesOutput, error) {
	return &ec2.DescribeInstancesOutput{}, nil
}

// noIdentity is a cloud without roles and parameters.
type noIdentity struct {
	IAM
	SSM
}

// noAlarms is a CloudWatch without alarms.
type noAlarms struct{ CW }

func (noAlarms) DescribeAlarms(
	context.Context, *cloudwatch.DescribeAlarmsInput, ...func(*cloudwatch.Options),
) (*cloudwatch.DescribeAlarmsOutput, error) {
	return &cloudwatch.DescribeAlarmsOutput{}, nil
}

// noTopics is an Amazon SNS without topics.
type noLogs struct{ Logs }

func (noLogs) DescribeLogGroups(
	context.Context, *cloudwatchlogs.DescribeLogGroupsInput, ...func(*cloudwatchlogs.Options),
) (*cloudwatchlogs.DescribeLogGroupsOutput, error) {
	return &cloudwatchlogs.DescribeLogGroupsOutput{}, nil
}

// noBuckets is an Amazon S3 without buckets.
type noBuckets struct{ S3 }

func (noBuckets) ListBuckets(
	context.Context, *s3.ListBucketsInput, ...func(*s3.Options),
) (*s3.ListBucketsOutput, error) {
	return &s3.ListBucketsOutput{}, nil
}

type noTopics struct{ SNS }

func (noTopics) ListTopics(
	context.Context, *sns.ListTopicsInput, ...func(*sns.Options),
) (*sns.ListTopicsOutput, error) {
	return &sns.ListTopicsOutput{}, nil
}

func (noIdentity) GetRole(context.Context, *iam.GetRoleInput, ...func(*iam.Options)) (*iam.GetRoleOutput, error) {
	return nil, &smithy.GenericAPIError{Code: "NoSuchEntity"}
}

func (noIdentity) GetInstanceProfile(
	context.Context, *iam.GetInstanceProfileInput, ...func(*iam.Options),
) (*iam.GetInstanceProfileOutput, error) {
	return nil, &smithy.GenericAPIError{Code: "NoSuchEntity"}
}

func (noIdentity) GetParameter(
	context.Context, *ssm.GetParameterInput, ...func(*ssm.Options),
) (*ssm.GetParameterOutput, error) {
	return nil, &smithy.GenericAPIError{Code: "ParameterNotFound"}
}

// noLoadBalancing is a cloud without target groups and load balancers.
type noLoadBalancing struct{ ELB }

func (noLoadBalancing) DescribeTargetGroups(
	context.Context, *elb.DescribeTargetGroupsInput, ...func(*elb.Options),
) (*elb.DescribeTargetGroupsOutput, error) {
	return &elb.DescribeTargetGroupsOutput{}, nil
}

func (noLoadBalancing) DescribeLoadBalancers(
	context.Context, *elb.DescribeLoadBalancersInput, ...func(*elb.Options),
) (*elb.DescribeLoadBalancersOutput, error) {
	return &elb.DescribeLoadBalancersOutput{}, nil
}

// noScaling is a cloud without Auto Scaling groups.
type noScaling struct{ ASG }

func (noScaling) DescribeAutoScalingGroups(
	context.Context, *autoscaling.DescribeAutoScalingGroupsInput, ...func(*autoscaling.Options),
) (*autoscaling.DescribeAutoScalingGroupsOutput, error) {
	return &autoscaling.DescribeAutoScalingGroupsOutput{}, nil
}

// provisioner returns a provisioner on a cloud that has only the VPCs of c.
func provisioner(c *vpcCloud) *Provisioner {
	cloud := Cloud{
		App: "shop",
		EC2: EC2{
			vpcAPI: c, subnetAPI: c, internetGatewayAPI: c, elasticIPAPI: c, natGatewayAPI: c, routeTableAPI: c,
			securityGroupAPI: c, keyPairAPI: c, connectEndpointAPI: connectEndpoints{}, instanceAPI: c, imageAPI: c,
			launchTemplateAPI: c,
		},
		CW:  noAlarms{},
		SNS: noTopics{},
		S3:  noBuckets{},

		Logs: noLogs{},
		IAM:  IAM{roleAPI: noIdentity{}, instanceProfileAPI: noIdentity{}},
		SSM:  noIdentity{},
		ELB:  ELB{targetGroupAPI: noLoadBalancing{}, loadBalancerAPI: noLoadBalancing{}},
		ASG:  ASG{scalingGroupAPI: noScaling{}},
	}
	return &Provisioner{Cloud: cloud, Events: func(event.Event) {}}
}

func TestCreateFindsAVPCWhoseResponseWasLost(t *testing.T) {
	always, never := func(int) bool { return true }, func(int) bool { return false }
	second := func(call int) bool { return call > 1 }
	silent := func(invisible time.Duration) vpcCloud { // creates VPCs and never responds
		return vpcCloud{succeeds: always, responds: never, invisible: invisible}
	}
	for what, c := range map[string]struct {
		cloud vpcCloud
		calls int
		id    string // of the VPC that Create returns; "" if it fails
	}{
		"created":                 {silent(0), 1, "vpc-1"},
		"created, and seen late":  {silent(invisibleLimit / 2), 1, "vpc-1"},
		"not created":             {vpcCloud{succeeds: second, responds: always}, 2, "vpc-2"},
		"never created":           {vpcCloud{succeeds: never}, maxCreateAttempts, ""},
		"created, and never seen": {silent(time.Hour), maxCreateAttempts, ""},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := c.cloud
				vpc := stack.Resource{Address: stack.AddressVPC, Body: stack.VPC{}}
				f, err := provisioner(&cloud).Create(t.Context(), vpc, nil)
				if f.ID != c.id || (err == nil) != (c.id != "") || err != nil && !awsapi.IsResponseLost(err) {
					t.Errorf("%q, %v", f.ID, err)
				}
				if cloud.calls != c.calls {
					t.Errorf("called %d times, want %d", cloud.calls, c.calls)
				}
			})
		})
	}
}

func TestCreateDoesNotReturnAVPCThatExistedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		notSecond := func(call int) bool { return call != 2 }
		p := provisioner(&vpcCloud{succeeds: notSecond, responds: notSecond})
		vpc := stack.Resource{Address: stack.AddressVPC, Body: stack.VPC{}}
		before, err := p.Create(t.Context(), vpc, nil)
		if err != nil {
			t.Fatal(err)
		}
		if f, err := p.Create(t.Context(), vpc, []plan.Found{before}); err != nil || f.ID == before.ID {
			t.Errorf("%q, %v", f.ID, err)
		}
	})
}

func TestCreateDoesNotAdoptResourcesOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &vpcCloud{}
		group := stack.Resource{Address: stack.AddressWebGroup, Body: stack.SecurityGroup{}}
		f, err := provisioner(c).Create(t.Context(), group, nil)
		var refusal smithy.APIError
		if f.ID != "" || c.calls != 1 || !errors.As(err, &refusal) || refusal.ErrorCode() != "InvalidGroup.Duplicate" {
			t.Errorf("%q after %d calls: %v", f.ID, c.calls, err)
		}
	})
}
