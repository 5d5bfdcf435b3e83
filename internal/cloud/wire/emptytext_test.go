package wire

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// lengthRefused is the beginning and the end of the message of a model's least length.
const lengthRefused = " failed to satisfy constraint: Member must have length greater than or equal to 1"

func TestEmptyTextsMeanWhatTheServiceMakesOfThem(t *testing.T) {
	const omitted, given = "omitted", "given"
	for _, test := range []struct {
		name string
		read func(body string) (*string, error)
		body string
		want string // omitted, given, or the member that is refused
	}{
		{
			"a protocol version of a target group", field(t, "elasticloadbalancing",
				func(in *elasticloadbalancingv2.CreateTargetGroupInput) *string { return in.ProtocolVersion }),
			"ProtocolVersion=&Name=a", omitted,
		},
		{
			"a path of health checks by TCP", field(t, "elasticloadbalancing",
				func(in *elasticloadbalancingv2.ModifyTargetGroupInput) *string { return in.HealthCheckPath }),
			"HealthCheckPath=", omitted,
		},
		{
			"a redirect without a query", field(t, "elasticloadbalancing",
				func(in *elasticloadbalancingv2.CreateListenerInput) *string {
					return in.DefaultActions[0].RedirectConfig.Query
				}),
			"DefaultActions.member.1.RedirectConfig.Query=", given,
		},
		{
			"a redirect to no host", field(t, "elasticloadbalancing",
				func(in *elasticloadbalancingv2.CreateListenerInput) *string {
					return in.DefaultActions[0].RedirectConfig.Host
				}),
			"DefaultActions.member.1.RedirectConfig.Host=&DefaultActions.member.1.RedirectConfig.Port=1", omitted,
		},
		{
			"user data of a launch template, which has nothing else", field(t, "ec2",
				func(in *ec2.CreateLaunchTemplateInput) *string { return in.LaunchTemplateData.UserData }),
			"LaunchTemplateData.UserData=", given,
		},
		{
			"a device to leave out", field(t, "ec2",
				func(in *ec2.RunInstancesInput) *string { return in.BlockDeviceMappings[0].NoDevice }),
			"BlockDeviceMapping.1.DeviceName=a&BlockDeviceMapping.1.NoDevice=", given,
		},
		{
			"a body of a fixed response", field(t, "elasticloadbalancing",
				func(in *elasticloadbalancingv2.CreateListenerInput) *string {
					return in.DefaultActions[0].FixedResponseConfig.MessageBody
				}),
			"DefaultActions.member.1.FixedResponseConfig.MessageBody=", given,
		},
		{
			"a prefix of access logs", field(t, "elasticloadbalancing",
				func(in *elasticloadbalancingv2.ModifyLoadBalancerAttributesInput) *string {
					return in.Attributes[0].Value
				}),
			"Attributes.member.1.Key=access_logs.s3.prefix&Attributes.member.1.Value=", given,
		},
		{
			"a subnet", field(t, "ec2", func(in *ec2.RunInstancesInput) *string { return in.SubnetId }),
			"SubnetId=&MinCount=1", omitted,
		},
		{
			"a placement group", field(t, "ec2",
				func(in *ec2.RunInstancesInput) *string { return in.Placement.GroupName }),
			"Placement.GroupName=&Placement.Tenancy=default", omitted,
		},
		{
			"a value of a tag", field(t, "ec2", func(in *ec2.CreateTagsInput) *string { return in.Tags[0].Value }),
			"Tag.1.Key=a&Tag.1.Value=", given,
		},
		{
			"a value of a filter", field(t, "ec2",
				func(in *ec2.DescribeVpcsInput) *string { return &in.Filters[0].Values[0] }),
			"Filter.1.Name=tag:a&Filter.1.Value.1=", given,
		},
		{
			"an id in a list", field(t, "ec2",
				func(in *ec2.RunInstancesInput) *string { return &in.SecurityGroupIds[0] }),
			"SecurityGroupId.1=", given,
		},
		{
			"a description of a rule", field(t, "ec2",
				func(in *ec2.UpdateSecurityGroupRuleDescriptionsIngressInput) *string {
					return in.SecurityGroupRuleDescriptions[0].Description
				}),
			"SecurityGroupRuleDescription.1.Description=", given,
		},
		{
			"subnets of a group", field(t, "autoscaling",
				func(in *autoscaling.CreateAutoScalingGroupInput) *string { return in.VPCZoneIdentifier }),
			"VPCZoneIdentifier=", "vPCZoneIdentifier",
		},
		{
			"a name deep in a request", field(t, "autoscaling",
				func(in *autoscaling.PutScalingPolicyInput) *string { return in.PolicyName }),
			"TargetTrackingConfiguration.PredefinedMetricSpecification.ResourceLabel=",
			"targetTrackingConfiguration.predefinedMetricSpecification.resourceLabel",
		},
		{
			"a highest price", field(t, "autoscaling",
				func(in *autoscaling.CreateAutoScalingGroupInput) *string {
					return in.MixedInstancesPolicy.InstancesDistribution.SpotMaxPrice
				}),
			"MixedInstancesPolicy.InstancesDistribution.SpotMaxPrice=", given,
		},
		{
			"a role's description", field(t, "iam", func(in *iam.CreateRoleInput) *string { return in.Description }),
			"Description=", given,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			text, err := test.read(test.body)
			got := omitted
			if refused, ok := errors.AsType[*Error](err); ok {
				got = refused.Message
			} else if err != nil {
				t.Fatal(err)
			} else if text != nil {
				got = given + *text
			}
			want := test.want
			if want != omitted && want != given {
				want = "1 validation error detected: Value '' at '" + want + "'" + lengthRefused
			}
			if got != want {
				t.Errorf("it was %q, want %q", got, want)
			}
		})
	}
}

// field returns a function that decodes a request and returns one of its members.
func field[T any](t *testing.T, service string, member func(*T) *string) func(body string) (*string, error) {
	return func(body string) (*string, error) {
		in, _, err := readForm[T](t, service, body)
		if err != nil {
			return nil, err
		}
		return member(in), nil
	}
}
