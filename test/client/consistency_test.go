//go:build linux

package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/test/simulation"
)

// must returns the output of a call that must succeed.
func must[Out any](t *testing.T) func(out Out, err error) Out {
	return func(out Out, err error) Out {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// eventually repeats a call until it succeeds, for AWS's longest lag, and returns the
// errors before.
func eventually(t *testing.T, call func() error) (before []string) {
	t.Helper()
	for started := time.Now(); time.Since(started) < 30*time.Second; time.Sleep(100 * time.Millisecond) {
		err := call()
		if err == nil {
			return before
		}
		before = append(before, awsapi.Code(err)+": "+awsapi.Message(err))
	}
	t.Fatalf("the call still fails: %s", before[len(before)-1])
	return nil
}

// inconsistent runs a test in virtual time against a cloud whose reads lag.
func inconsistent(t *testing.T, seed uint64, test func(t *testing.T, c *awsapi.Client)) {
	synctest.Test(t, func(t *testing.T) {
		cloud := simulation.New(t)
		client := cloud.Client(t, nil)
		must[*ec2.DescribeVpcsOutput](t)(client.EC2.DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{}))
		cloud.Manners.Use(manners.Settings{Manners: []manners.Manner{manners.Consistency}, Seed: seed})
		test(t, client)
	})
}

// refusals repeats a scenario with several seeds until a call was refused at first,
// and checks the words of all refusals. ids in a refusal are replaced by "*".
func refusals(t *testing.T, want string, scenario func(t *testing.T, c *awsapi.Client) (id string, before []string)) {
	t.Helper()
	seen := 0
	for seed := range uint64(12) {
		inconsistent(t, seed, func(t *testing.T, c *awsapi.Client) {
			id, before := scenario(t, c)
			for _, refusal := range before {
				if got := strings.ReplaceAll(refusal, id, "*"); got != want {
					t.Errorf("seed %d: got %q, want %q", seed, got, want)
				}
				seen++
			}
		})
	}
	if seen == 0 {
		t.Errorf("no call failed with %q", want)
	}
}

func newVPC(t *testing.T, c *awsapi.Client) string {
	t.Helper()
	out := must[*ec2.CreateVpcOutput](t)(
		c.EC2.CreateVpc(t.Context(), &ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16")}))
	return *out.Vpc.VpcId
}

func newSubnet(t *testing.T, c *awsapi.Client, vpc string) (id string) {
	t.Helper()
	eventually(t, func() error {
		out, err := c.EC2.CreateSubnet(t.Context(), &ec2.CreateSubnetInput{
			VpcId: &vpc, CidrBlock: aws.String("10.0.0.0/24"), AvailabilityZone: aws.String("us-east-1a"),
		})
		if err == nil {
			id = *out.Subnet.SubnetId
		}
		return err
	})
	return id
}

func TestANewVPCIsNotFoundAtFirst(t *testing.T) {
	refusals(t, "InvalidVpcID.NotFound: The vpc ID '*' does not exist",
		func(t *testing.T, c *awsapi.Client) (string, []string) {
			id := newVPC(t, c)
			return id, eventually(t, func() error {
				_, err := c.EC2.DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{VpcIds: []string{id}})
				return err
			})
		})
}

func TestANewVPCIsMissingFromListsAtFirst(t *testing.T) {
	refusals(t, ": the list lacks it", func(t *testing.T, c *awsapi.Client) (string, []string) {
		id := newVPC(t, c)
		filter := []types.Filter{{Name: aws.String("vpc-id"), Values: []string{id}}}
		return id, eventually(t, func() error {
			out, err := c.EC2.DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{Filters: filter})
			if err == nil && len(out.Vpcs) == 0 {
				return errors.New("the list lacks it")
			}
			return err
		})
	})
}

func TestCallsRefuseANewVPCAtFirst(t *testing.T) {
	type use func(ctx context.Context, c *awsapi.Client, id string) error
	for want, use := range map[string]use{
		"InvalidVpcID.NotFound: The vpc ID '*' does not exist": func(
			ctx context.Context, c *awsapi.Client, id string,
		) error {
			_, err := c.EC2.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{
				VpcId: &id, GroupName: aws.String("web"), Description: aws.String("web"),
			})
			return err
		},
		"ValidationError: The VPC ID '*' is not found": func(
			ctx context.Context, c *awsapi.Client, id string,
		) error {
			_, err := c.ELB.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
				Name: aws.String("web"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: &id,
			})
			return err
		},
	} {
		refusals(t, want, func(t *testing.T, c *awsapi.Client) (string, []string) {
			id := newVPC(t, c)
			return id, eventually(t, func() error { return use(t.Context(), c, id) })
		})
	}
}

func TestALaunchFollowsThePastAttributeOfItsSubnet(t *testing.T) {
	without := 0
	for seed := range uint64(12) {
		inconsistent(t, seed, func(t *testing.T, c *awsapi.Client) {
			subnet := newSubnet(t, c, newVPC(t, c))
			time.Sleep(time.Minute)
			must[*ec2.ModifySubnetAttributeOutput](t)(c.EC2.ModifySubnetAttribute(t.Context(),
				&ec2.ModifySubnetAttributeInput{
					SubnetId: &subnet, MapPublicIpOnLaunch: &types.AttributeBooleanValue{Value: aws.Bool(true)},
				}))
			images := must[*ec2.DescribeImagesOutput](t)(c.EC2.DescribeImages(t.Context(), &ec2.DescribeImagesInput{}))
			eventually(t, func() error {
				out := must[*ec2.DescribeImagesOutput](t)(c.EC2.DescribeImages(t.Context(),
					&ec2.DescribeImagesInput{ImageIds: []string{*images.Images[0].ImageId}}))
				if out.Images[0].State != types.ImageStateAvailable {
					return fmt.Errorf("the image is %s", out.Images[0].State)
				}
				return nil
			})
			out := must[*ec2.RunInstancesOutput](t)(c.EC2.RunInstances(t.Context(), &ec2.RunInstancesInput{
				ImageId: images.Images[0].ImageId, InstanceType: types.InstanceTypeT3Micro, SubnetId: &subnet,
				MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
			}))
			time.Sleep(time.Minute)
			found := must[*ec2.DescribeInstancesOutput](t)(c.EC2.DescribeInstances(t.Context(),
				&ec2.DescribeInstancesInput{InstanceIds: []string{*out.Instances[0].InstanceId}}))
			if found.Reservations[0].Instances[0].PublicIpAddress == nil {
				without++
			}
		})
	}
	if without == 0 || without == 12 {
		t.Errorf("%d of 12 launches right after the change have no public address, want some", without)
	}
}

func TestAutoScalingDoesNotKnowANewTemplateAtFirst(t *testing.T) {
	refusals(t, "ValidationError: You must use a valid fully-formed launch template. "+
		"The specified launch template, with template ID *, does not exist.",
		func(t *testing.T, c *awsapi.Client) (string, []string) {
			subnet := newSubnet(t, c, newVPC(t, c))
			images := must[*ec2.DescribeImagesOutput](t)(c.EC2.DescribeImages(t.Context(), &ec2.DescribeImagesInput{}))
			time.Sleep(time.Minute)
			template := must[*ec2.CreateLaunchTemplateOutput](t)(c.EC2.CreateLaunchTemplate(t.Context(),
				&ec2.CreateLaunchTemplateInput{
					LaunchTemplateName: aws.String("web"), LaunchTemplateData: &types.RequestLaunchTemplateData{
						ImageId: images.Images[0].ImageId, InstanceType: types.InstanceTypeT3Micro,
					},
				}))
			id := *template.LaunchTemplate.LaunchTemplateId
			return id, eventually(t, func() error {
				_, err := c.ASG.CreateAutoScalingGroup(t.Context(), &autoscaling.CreateAutoScalingGroupInput{
					AutoScalingGroupName: aws.String("web"), MinSize: aws.Int32(0), MaxSize: aws.Int32(0),
					VPCZoneIdentifier: &subnet,
					LaunchTemplate:    &astypes.LaunchTemplateSpecification{LaunchTemplateId: &id},
				})
				return err
			})
		})
}

func TestANewTemplateVersionIsNotFoundAtFirst(t *testing.T) {
	refusals(t, "InvalidLaunchTemplateId.VersionNotFound: "+
		"Could not find the specified version 2 for the launch template with ID *.",
		func(t *testing.T, c *awsapi.Client) (string, []string) {
			data := &types.RequestLaunchTemplateData{InstanceType: types.InstanceTypeT3Micro}
			template := must[*ec2.CreateLaunchTemplateOutput](t)(c.EC2.CreateLaunchTemplate(t.Context(),
				&ec2.CreateLaunchTemplateInput{LaunchTemplateName: aws.String("web"), LaunchTemplateData: data}))
			id := template.LaunchTemplate.LaunchTemplateId
			time.Sleep(time.Minute)
			must[*ec2.CreateLaunchTemplateVersionOutput](t)(c.EC2.CreateLaunchTemplateVersion(t.Context(),
				&ec2.CreateLaunchTemplateVersionInput{LaunchTemplateId: id, LaunchTemplateData: data}))
			return *id, eventually(t, func() error {
				_, err := c.EC2.ModifyLaunchTemplate(t.Context(), &ec2.ModifyLaunchTemplateInput{
					LaunchTemplateId: id, DefaultVersion: aws.String("2"),
				})
				return err
			})
		})
}
