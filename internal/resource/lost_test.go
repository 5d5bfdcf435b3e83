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
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// bare is a cloud that holds nothing but VPCs, whose making loses its answers.
type bare struct {
	EC2
	done  func(call int) bool // the call is carried out
	tells func(call int) bool // and its answer arrives
	late  time.Duration       // until what was made is listed

	calls int
	made  []types.Vpc
	since []time.Time
}

var errLost = &smithyhttp.RequestSendError{Err: syscall.ECONNRESET}

func (b *bare) CreateVpc(
	_ context.Context,
	in *ec2.CreateVpcInput,
	_ ...func(*ec2.Options),
) (*ec2.CreateVpcOutput, error) {
	b.calls++
	if !b.done(b.calls) {
		return nil, errLost
	}
	b.made = append(
		b.made,
		types.Vpc{
			VpcId:     aws.String("vpc-" + string(rune('0'+b.calls))),
			CidrBlock: in.CidrBlock,
			State:     types.VpcStateAvailable,
			Tags:      in.TagSpecifications[0].Tags,
		},
	)
	b.since = append(b.since, time.Now())
	if !b.tells(b.calls) {
		return nil, errLost
	}
	return &ec2.CreateVpcOutput{Vpc: &b.made[len(b.made)-1]}, nil
}

func (b *bare) CreateSecurityGroup(context.Context, *ec2.CreateSecurityGroupInput, ...func(*ec2.Options)) (*ec2.CreateSecurityGroupOutput, error) {
	b.calls++
	return nil, &smithy.GenericAPIError{Code: "InvalidGroup.Duplicate", Message: "it is there"}
}

func (b *bare) DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error) {
	out := &ec2.DescribeVpcsOutput{}
	for i, vpc := range b.made {
		if time.Since(b.since[i]) >= b.late {
			out.Vpcs = append(out.Vpcs, vpc)
		}
	}
	return out, nil
}

func (b *bare) DescribeVpcAttribute(context.Context, *ec2.DescribeVpcAttributeInput, ...func(*ec2.Options)) (*ec2.DescribeVpcAttributeOutput, error) {
	return &ec2.DescribeVpcAttributeOutput{}, nil
}

func (b *bare) ModifyVpcAttribute(context.Context, *ec2.ModifyVpcAttributeInput, ...func(*ec2.Options)) (*ec2.ModifyVpcAttributeOutput, error) {
	return &ec2.ModifyVpcAttributeOutput{}, nil
}

func (b *bare) DescribeSubnets(context.Context, *ec2.DescribeSubnetsInput, ...func(*ec2.Options)) (*ec2.DescribeSubnetsOutput, error) {
	return &ec2.DescribeSubnetsOutput{}, nil
}

func (b *bare) DescribeInternetGateways(context.Context, *ec2.DescribeInternetGatewaysInput, ...func(*ec2.Options)) (*ec2.DescribeInternetGatewaysOutput, error) {
	return &ec2.DescribeInternetGatewaysOutput{}, nil
}

func (b *bare) DescribeRouteTables(context.Context, *ec2.DescribeRouteTablesInput, ...func(*ec2.Options)) (*ec2.DescribeRouteTablesOutput, error) {
	return &ec2.DescribeRouteTablesOutput{}, nil
}

func (b *bare) DescribeSecurityGroups(context.Context, *ec2.DescribeSecurityGroupsInput, ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error) {
	return &ec2.DescribeSecurityGroupsOutput{}, nil
}

func (b *bare) DescribeKeyPairs(context.Context, *ec2.DescribeKeyPairsInput, ...func(*ec2.Options)) (*ec2.DescribeKeyPairsOutput, error) {
	return &ec2.DescribeKeyPairsOutput{}, nil
}

func (b *bare) DescribeImages(context.Context, *ec2.DescribeImagesInput, ...func(*ec2.Options)) (*ec2.DescribeImagesOutput, error) {
	return &ec2.DescribeImagesOutput{}, nil
}

func (b *bare) DescribeLaunchTemplates(context.Context, *ec2.DescribeLaunchTemplatesInput, ...func(*ec2.Options)) (*ec2.DescribeLaunchTemplatesOutput, error) {
	return &ec2.DescribeLaunchTemplatesOutput{}, nil
}

func (b *bare) DescribeInstances(context.Context, *ec2.DescribeInstancesInput, ...func(*ec2.Options)) (*ec2.DescribeInstancesOutput, error) {
	return &ec2.DescribeInstancesOutput{}, nil
}

type unbalanced struct{ ELB }

func (unbalanced) DescribeTargetGroups(context.Context, *elb.DescribeTargetGroupsInput, ...func(*elb.Options)) (*elb.DescribeTargetGroupsOutput, error) {
	return &elb.DescribeTargetGroupsOutput{}, nil
}

func (unbalanced) DescribeLoadBalancers(context.Context, *elb.DescribeLoadBalancersInput, ...func(*elb.Options)) (*elb.DescribeLoadBalancersOutput, error) {
	return &elb.DescribeLoadBalancersOutput{}, nil
}

type unscaled struct{ ASG }

func (unscaled) DescribeAutoScalingGroups(context.Context, *autoscaling.DescribeAutoScalingGroupsInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error) {
	return &autoscaling.DescribeAutoScalingGroupsOutput{}, nil
}

func on(b *bare) *Site {
	return &Site{Cloud: Cloud{App: "shop", EC2: b, ELB: unbalanced{}, ASG: unscaled{}}, Events: func(event.Event) {}}
}

func TestAVPCWhoseAnswerIsLostIsLookedForBeforeAnotherIsMade(t *testing.T) {
	always, never := func(int) bool { return true }, func(int) bool { return false }
	for what, c := range map[string]struct {
		cloud bare
		calls int
		id    string // of what is then known; "": it fails
	}{
		"it was made":                    {bare{done: always, tells: never}, 1, "vpc-1"},
		"it was made, and is told late":  {bare{done: always, tells: never, late: unseen / 2}, 1, "vpc-1"},
		"it was not made":                {bare{done: func(call int) bool { return call > 1 }, tells: always}, 2, "vpc-2"},
		"it is not made, however often":  {bare{done: never}, maxTries, ""},
		"it was made, and is never told": {bare{done: always, tells: never, late: time.Hour}, maxTries, ""},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := c.cloud
				f, err := on(&b).Create(t.Context(), stack.Resource{Address: stack.AddressVPC, Body: stack.VPC{}}, nil)
				if f.ID != c.id || (err == nil) != (c.id != "") || err != nil && !awsapi.IsLost(err) {
					t.Errorf("%q, %v", f.ID, err)
				}
				if b.calls != c.calls {
					t.Errorf("asked %d times, want %d", b.calls, c.calls)
				}
			})
		})
	}
}

func TestWhatStoodBeforeIsNotTakenForWhatWasMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bare{done: func(call int) bool { return call != 2 }, tells: func(call int) bool { return call != 2 }}
		s, r := on(b), stack.Resource{Address: stack.AddressVPC, Body: stack.VPC{}}
		before, err := s.Create(t.Context(), r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if f, err := s.Create(t.Context(), r, []plan.Found{before}); err != nil || f.ID == before.ID {
			t.Errorf("%q, %v", f.ID, err)
		}
	})
}

func TestWhatIsOfOthersIsRefusedAsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bare{}
		f, err := on(
			b,
		).Create(t.Context(), stack.Resource{Address: "security-group-web", Body: stack.SecurityGroup{}}, nil)
		var refusal smithy.APIError
		if f.ID != "" || b.calls != 1 || !errors.As(err, &refusal) || refusal.ErrorCode() != "InvalidGroup.Duplicate" {
			t.Errorf("%q after %d calls: %v", f.ID, b.calls, err)
		}
	})
}
