//go:build linux

package autoscaling_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// refusal is a change that makes the request for a group fail, and a part of the
// error's message.
type refusal struct {
	change func(*createInput)
	text   string
}

// checkCreateRefusals checks that each change makes CreateAutoScalingGroup fail with
// the code.
func checkCreateRefusals(t *testing.T, w *world, code string, refusals map[string]refusal) {
	t.Helper()
	for name, r := range refusals {
		t.Run(name, func(t *testing.T) {
			in := w.groupOfThree()
			r.change(in)
			_, err := w.CreateAutoScalingGroup(w.ctx, in)
			wantError(t, err, code, r.text)
		})
	}
}

func TestCreateGroupRefusesATakenName(t *testing.T) {
	w := newWorld(t)
	must(w.CreateAutoScalingGroup(w.ctx, w.groupOfThree()))(t)
	_, err := w.CreateAutoScalingGroup(w.ctx, w.groupOfThree())
	wantError(t, err, "AlreadyExists",
		"AutoScalingGroup by this name already exists - A group with the name g already exists")
}

func TestCreateGroupRefusesInvalidNamesAndSizes(t *testing.T) {
	checkCreateRefusals(t, newWorld(t), "ValidationError", map[string]refusal{
		"no name": {func(in *createInput) { in.AutoScalingGroupName = nil }, "autoScalingGroupName"},
		"a colon": {func(in *createInput) { in.AutoScalingGroupName = new("a:b") }, "colon"},
		"no size": {func(in *createInput) { in.MaxSize = nil }, "Value null at 'maxSize'"},
		"max below min": {
			func(in *createInput) { in.MinSize = new(int32(7)) },
			"Max bound, 6, must be greater than or equal to min bound, 7",
		},
		"desired above max": {
			func(in *createInput) { in.DesiredCapacity = new(int32(7)) },
			"Desired capacity:7 must be between the specified min size:1 and max size:6",
		},
	})
}

func TestCreateGroupRefusesInvalidLaunchSources(t *testing.T) {
	w := newWorld(t)
	must(w.ec2.CreateLaunchTemplate(w.ctx, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: new("unknown-key"),
		LaunchTemplateData: &ec2types.RequestLaunchTemplateData{
			ImageId: &w.image, InstanceType: "t3.micro", KeyName: new("x"),
		},
	}))(t)
	vpc := *must(w.ec2.CreateVpc(w.ctx, &ec2.CreateVpcInput{CidrBlock: new("10.9.0.0/16")}))(t).Vpc.VpcId
	securityGroup := *must(w.ec2.CreateSecurityGroup(w.ctx, &ec2.CreateSecurityGroupInput{
		GroupName: new("o"), Description: new("o"), VpcId: &vpc,
	}))(t).GroupId
	must(w.ec2.CreateLaunchTemplate(w.ctx, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: new("other-vpc"),
		LaunchTemplateData: &ec2types.RequestLaunchTemplateData{
			ImageId: &w.image, InstanceType: "t3.micro", SecurityGroupIds: []string{securityGroup},
		},
	}))(t)
	template := func(name string) func(*createInput) {
		return func(in *createInput) {
			in.LaunchTemplate = &types.LaunchTemplateSpecification{LaunchTemplateName: &name}
		}
	}
	checkCreateRefusals(t, w, "ValidationError", map[string]refusal{
		"none": {
			func(in *createInput) { in.LaunchTemplate = nil }, "Valid requests must contain either launchTemplate",
		},
		"two": {
			func(in *createInput) { in.MixedInstancesPolicy = &types.MixedInstancesPolicy{} },
			"Valid requests must contain either launchTemplate",
		},
		"a second type that does not exist": {
			mixedPolicy(nil, types.LaunchTemplateOverrides{InstanceType: new("t3.micro")},
				types.LaunchTemplateOverrides{InstanceType: new("t9.micro")}),
			"You must use a valid fully-formed launch template. Invalid value 't9.micro' for InstanceType.",
		},
		"a type and requirements": {
			mixedPolicy(nil, types.LaunchTemplateOverrides{
				InstanceType: new("t3.micro"), InstanceRequirements: vcpus(2),
			}),
			"An override cannot specify both InstanceType and InstanceRequirements",
		},
		"requirements without memory": {
			mixedPolicy(nil, types.LaunchTemplateOverrides{InstanceRequirements: &types.InstanceRequirements{
				VCpuCount: &types.VCpuCountRequest{Min: new(int32(2))},
			}}),
			"the instance requirements must contain MemoryMiB.Min",
		},
		"requirements that no type meets": {
			mixedPolicy(nil, types.LaunchTemplateOverrides{InstanceRequirements: vcpus(9999)}),
			"no instance type meets the instance requirements of group",
		},
		"requirements by priority": {
			mixedPolicy(&types.InstancesDistribution{OnDemandAllocationStrategy: new("prioritized")},
				types.LaunchTemplateOverrides{InstanceRequirements: vcpus(2)}),
			"The OnDemandAllocationStrategy prioritized cannot be used with InstanceRequirements",
		},
		"another unit": {
			func(in *createInput) { in.DesiredCapacityType = new("gpus") },
			"Invalid DesiredCapacityType: gpus. Valid values are units, vcpu and memory-mib",
		},
		"vCPUs of a type": {
			func(in *createInput) { in.DesiredCapacityType = new("vcpu") },
			"The DesiredCapacityType vcpu can only be specified for a group with instance requirements",
		},
		"too many types": {
			mixedPolicy(nil, make([]types.LaunchTemplateOverrides, 41)...), "limited to 40",
		},
		"a type without a weight": {
			mixedPolicy(nil, types.LaunchTemplateOverrides{InstanceType: new("t3.micro"), WeightedCapacity: new("1")},
				types.LaunchTemplateOverrides{InstanceType: new("t3.small")}),
			"WeightedCapacity must be specified for all of the overrides or for none of them",
		},
		"no weight": {
			mixedPolicy(nil, types.LaunchTemplateOverrides{InstanceType: new("t3.micro"), WeightedCapacity: new("0")}),
			"Invalid WeightedCapacity: 0. The value must be between 1 and 999",
		},
		"too much weight": {
			mixedPolicy(nil, types.LaunchTemplateOverrides{
				InstanceType: new("t3.micro"), WeightedCapacity: new("1000"),
			}),
			"Invalid WeightedCapacity: 1000. The value must be between 1 and 999",
		},
		"a weight of no type": {
			mixedPolicy(nil, types.LaunchTemplateOverrides{WeightedCapacity: new("1")}),
			"WeightedCapacity can only be specified for an override with an InstanceType",
		},
		"a type with two weights": {
			mixedPolicy(nil, types.LaunchTemplateOverrides{InstanceType: new("t3.micro"), WeightedCapacity: new("1")},
				types.LaunchTemplateOverrides{InstanceType: new("t3.micro"), WeightedCapacity: new("2")}),
			"The instance type t3.micro has more than one WeightedCapacity",
		},
		"a template without name": {
			func(in *createInput) { in.LaunchTemplate = &types.LaunchTemplateSpecification{} },
			"Valid requests must contain either launchTemplateId or LaunchTemplateName",
		},
		"a template that does not exist": {
			template("none"), "You must use a valid fully-formed launch template. ",
		},
		"a template whose key does not exist": {
			template("unknown-key"),
			"You must use a valid fully-formed launch template. The key pair 'x' does not exist",
		},
		"a security group of another VPC": {
			template("other-vpc"), "One or more security groups in the launch template are not linked to the VPCs " +
				"configured in the Auto Scaling group",
		},
	})
}

func TestCreateGroupRefusesInvalidSubnets(t *testing.T) {
	checkCreateRefusals(t, newWorld(t), "ValidationError", map[string]refusal{
		"none": {
			func(in *createInput) { in.VPCZoneIdentifier = nil },
			"At least one Availability Zone or VPC Subnet is required.",
		},
		"a subnet that does not exist": {
			func(in *createInput) { in.VPCZoneIdentifier = new("subnet-0") },
			"The subnet ID 'subnet-0' does not exist",
		},
		"subnets outside the zones": {
			func(in *createInput) { in.AvailabilityZones = []string{"us-east-1a"} }, "do not match",
		},
		"a zone that does not exist": {
			func(in *createInput) { in.VPCZoneIdentifier, in.AvailabilityZones = nil, []string{"us-east-1x"} },
			"us-east-1x",
		},
		"zones by name and by ID": {
			func(in *createInput) { in.AvailabilityZones, in.AvailabilityZoneIds = []string{"a"}, []string{"b"} },
			"both AvailabilityZones and AvailabilityZoneIds",
		},
	})
}

func TestCreateGroupRefusesInvalidTargetGroups(t *testing.T) {
	w := newWorld(t)
	vpc := *must(w.ec2.CreateVpc(w.ctx, &ec2.CreateVpcInput{CidrBlock: new("10.9.0.0/16")}))(t).Vpc.VpcId
	ofIPAddresses := *must(w.elb.CreateTargetGroup(w.ctx, &elb.CreateTargetGroupInput{
		Name: new("ip"), Protocol: elbtypes.ProtocolEnumHttp, Port: new(int32(80)), VpcId: &vpc,
		TargetType: elbtypes.TargetTypeEnumIp,
	}))(t).TargetGroups[0].TargetGroupArn
	checkCreateRefusals(t, w, "ValidationError", map[string]refusal{
		"one that does not exist": {
			func(in *createInput) { in.TargetGroupARNs = []string{"arn:none"} }, "One or more target groups not found",
		},
		"one of IP addresses": {
			func(in *createInput) { in.TargetGroupARNs = []string{ofIPAddresses} }, "invalid target type",
		},
	})
}

func TestCreateGroupRefusesInvalidSettings(t *testing.T) {
	checkCreateRefusals(t, newWorld(t), "ValidationError", map[string]refusal{
		"a reserved tag":     {func(in *createInput) { in.Tags = []types.Tag{{Key: new("aws:x")}} }, "reserved"},
		"termination policy": {func(in *createInput) { in.TerminationPolicies = []string{"Youngest"} }, "Youngest"},
		"lifetime": {
			func(in *createInput) { in.MaxInstanceLifetime = new(int32(60)) }, "MaxInstanceLifetime",
		},
		"health check type": {func(in *createInput) { in.HealthCheckType = new("PING") }, "PING"},
		"half a maintenance policy": {func(in *createInput) {
			in.InstanceMaintenancePolicy = &types.InstanceMaintenancePolicy{MinHealthyPercentage: new(int32(90))}
		}, "Both"},
		"a maintenance policy over 100 percent": {func(in *createInput) {
			in.InstanceMaintenancePolicy = &types.InstanceMaintenancePolicy{
				MinHealthyPercentage: new(int32(50)), MaxHealthyPercentage: new(int32(200)),
			}
		}, "greater than 100"},
		"zonal shift without a behavior": {func(in *createInput) {
			in.AvailabilityZoneImpairmentPolicy = &types.AvailabilityZoneImpairmentPolicy{ZonalShiftEnabled: new(true)}
		}, "ImpairedZoneHealthCheckBehavior"},
		"a hook without transition": {func(in *createInput) {
			in.LifecycleHookSpecificationList = []types.LifecycleHookSpecification{{LifecycleHookName: new("h")}}
		}, "Invalid lifecycle transition"},
	})
}

// vcpus returns requirements of a number of vCPUs.
func vcpus(n int32) *types.InstanceRequirements {
	return &types.InstanceRequirements{
		VCpuCount: &types.VCpuCountRequest{Min: &n}, MemoryMiB: &types.MemoryMiBRequest{Min: new(int32(0))},
	}
}
